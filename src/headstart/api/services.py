"""What the routes stand on: one object per layer, made in `app.py`."""

from __future__ import annotations

from dataclasses import dataclass

from headstart.apps.apps import Apps
from headstart.apps.models import Models
from headstart.apps.startup import Startup
from headstart.conversations.conversations import Conversations
from headstart.hub.hub import Hub
from headstart.knowledge.files import Files
from headstart.knowledge.knowledge import Knowledge
from headstart.knowledge.stores import VectorStores
from headstart.records.feedback import FeedbackStore
from headstart.records.records import Records
from headstart.security.keys import Keys
from headstart.security.sessions import BrowserSessions
from headstart.serving.endpoints import Endpoints
from headstart.settings import Settings
from headstart.storage.database import Database


@dataclass(frozen=True)
class Services:
    settings: Settings
    database: Database
    keys: Keys
    sessions: BrowserSessions
    hub: Hub
    endpoints: Endpoints
    files: Files
    stores: VectorStores
    knowledge: Knowledge
    records: Records
    feedback: FeedbackStore
    conversations: Conversations
    apps: Apps
    models: Models
    startup: Startup
