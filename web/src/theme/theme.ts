/** The look of the console: one accent, warm neutrals, one type family and its monospace. */
import {
  ActionIcon,
  Button,
  createTheme,
  Drawer,
  Menu,
  Modal,
  Paper,
  Tooltip,
  type MantineColorsTuple,
} from "@mantine/core";

const pine: MantineColorsTuple = [
  "#ebf7f1",
  "#d8eee3",
  "#b0dcc7",
  "#84c9a8",
  "#5cb78c",
  "#3fa678",
  "#2a9367",
  "#1b8058",
  "#12724d",
  "#075a3a",
];

const stone: MantineColorsTuple = [
  "#faf9f7",
  "#f4f3f0",
  "#ebe9e5",
  "#dedbd6",
  "#c9c5be",
  "#a39e96",
  "#78736b",
  "#57534c",
  "#3a3733",
  "#221f1c",
];

// Mantine reads `dark` for every surface and text of the dark scheme; 7 is the page.
const charcoal: MantineColorsTuple = [
  "#d9d8d3",
  "#b6b5af",
  "#97968f",
  "#6d6c66",
  "#40403b",
  "#31312d",
  "#242421",
  "#191917",
  "#131311",
  "#0d0d0c",
];

export const theme = createTheme({
  colors: { pine, gray: stone, dark: charcoal },
  primaryColor: "pine",
  primaryShade: { light: 8, dark: 5 },
  autoContrast: true,
  luminanceThreshold: 0.32,
  black: "#1d1b18",
  fontFamily: "'Geist Variable', system-ui, sans-serif",
  fontFamilyMonospace: "'Geist Mono Variable', ui-monospace, monospace",
  fontSizes: { xs: "0.75rem", sm: "0.8438rem", md: "0.9375rem", lg: "1.0625rem", xl: "1.25rem" },
  lineHeights: { xs: "1.4", sm: "1.5", md: "1.6", lg: "1.6", xl: "1.5" },
  headings: {
    fontWeight: "600",
    sizes: {
      h1: { fontSize: "1.75rem", lineHeight: "1.2" },
      h2: { fontSize: "1.375rem", lineHeight: "1.3" },
      h3: { fontSize: "1.0625rem", lineHeight: "1.4" },
      h4: { fontSize: "0.9375rem", lineHeight: "1.5" },
    },
  },
  radius: { xs: "4px", sm: "6px", md: "9px", lg: "14px", xl: "22px" },
  defaultRadius: "md",
  shadows: {
    xs: "0 1px 2px rgb(34 31 28 / 5%)",
    sm: "0 1px 2px rgb(34 31 28 / 5%), 0 2px 8px rgb(34 31 28 / 5%)",
    md: "0 2px 6px rgb(34 31 28 / 6%), 0 8px 24px rgb(34 31 28 / 8%)",
    lg: "0 4px 12px rgb(34 31 28 / 7%), 0 16px 48px rgb(34 31 28 / 12%)",
  },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    ActionIcon: ActionIcon.extend({ defaultProps: { variant: "subtle", color: "gray" } }),
    Button: Button.extend({ defaultProps: { size: "sm" } }),
    Drawer: Drawer.extend({
      defaultProps: { position: "right", overlayProps: { backgroundOpacity: 0.25 } },
    }),
    Menu: Menu.extend({ defaultProps: { shadow: "md", position: "bottom-end" } }),
    Modal: Modal.extend({
      defaultProps: { centered: true, overlayProps: { backgroundOpacity: 0.3 } },
    }),
    Paper: Paper.extend({ defaultProps: { radius: "lg" } }),
    Tooltip: Tooltip.extend({ defaultProps: { openDelay: 350, withArrow: false } }),
  },
});
