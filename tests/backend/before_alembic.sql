-- A database of trips-mcp as it was before there was Alembic, with a trip in it (sqlite3 .dump)
BEGIN TRANSACTION;
CREATE TABLE action_items (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	trip_id TEXT NOT NULL, 
	text TEXT NOT NULL, 
	urgency TEXT NOT NULL, 
	owner TEXT, 
	completed BOOLEAN NOT NULL, 
	client_ref TEXT, 
	UNIQUE (trip_id, client_ref), 
	UNIQUE (id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE, 
	FOREIGN KEY(owner) REFERENCES users (id) ON DELETE SET NULL
);
INSERT INTO "action_items" VALUES(1,'todo_551a4v0cvp','trip_dfdewysb14','Rail pass','before_trip',NULL,0,NULL);
CREATE TABLE api_keys (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	scopes JSON NOT NULL, 
	created_at TEXT NOT NULL, 
	UNIQUE (id), 
	UNIQUE (digest), 
	FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE channels (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	trip_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	UNIQUE (id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE
);
INSERT INTO "channels" VALUES(1,'chan_y7qkk5ncdw','trip_dfdewysb14','general');
CREATE TABLE commitments (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	trip_id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	start_time TEXT, 
	end_time TEXT, 
	is_all_day BOOLEAN, 
	timezone TEXT, 
	category TEXT NOT NULL, 
	leg_id TEXT, 
	map_pin_id TEXT, 
	notes TEXT, 
	UNIQUE (id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE, 
	FOREIGN KEY(leg_id) REFERENCES legs (id) ON DELETE SET NULL, 
	FOREIGN KEY(map_pin_id) REFERENCES map_pins (id) ON DELETE SET NULL
);
INSERT INTO "commitments" VALUES(1,'com_sqje2eevdv','trip_dfdewysb14','Dinner','2027-04-02','19:00',NULL,NULL,NULL,'dinner','leg_1eqxzc0nbn','pin_6ry2gy8twe',NULL);
CREATE TABLE event_trips (
	event INTEGER NOT NULL, 
	trip INTEGER NOT NULL, 
	PRIMARY KEY (event, trip), 
	FOREIGN KEY(event) REFERENCES events (seq) ON DELETE CASCADE, 
	FOREIGN KEY(trip) REFERENCES trips (seq) ON DELETE CASCADE
);
CREATE TABLE events (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	type TEXT NOT NULL, 
	title TEXT NOT NULL, 
	date TEXT NOT NULL, 
	time TEXT, 
	description TEXT, 
	location TEXT, 
	importance TEXT, 
	planner_id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	deleted_at TEXT, 
	FOREIGN KEY(planner_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE TABLE group_members (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	group_id TEXT NOT NULL, 
	user_id TEXT NOT NULL, 
	role TEXT NOT NULL, 
	UNIQUE (group_id, user_id), 
	FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "group_members" VALUES(1,'grp_96pnm1ayvm','usr_ryd9avkj49','owner');
CREATE TABLE groups (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	UNIQUE (id), 
	UNIQUE (name)
);
INSERT INTO "groups" VALUES(1,'grp_96pnm1ayvm','owner''s trips');
CREATE TABLE idempotency (
	caller TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	request_id TEXT NOT NULL, 
	status INTEGER, 
	body BLOB, 
	expires_at FLOAT NOT NULL, 
	PRIMARY KEY (caller, "key")
);
INSERT INTO "idempotency" VALUES('local','first','96588b8f2ddeee1a47250100f35714fc2517cf2ed8634c4a3b11181f6f9a09bb','req_8b8d9b88-410a-499a-94be-b64368c6c774',201,X'7B225F6964223A226C65675F316571787A63306E626E222C22747269704964223A22747269705F64666465777973623134222C226F72646572223A302C227469746C65223A224B796F746F222C2264657374696E6174696F6E223A224B796F746F2C204A6170616E222C22737461727444617465223A22323032372D30342D3031222C22656E6444617465223A22323032372D30342D3035222C2274696D657A6F6E65223A22417369612F546F6B796F222C226163636F6D6D6F646174696F6E223A7B226E616D65223A2252796F6B616E222C22646F6F72436F6465223A222334373131227D2C22636C69656E74526566223A226C65672D31227D',1800086400.0);
CREATE TABLE legs (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	trip_id TEXT NOT NULL, 
	"order" FLOAT NOT NULL, 
	title TEXT NOT NULL, 
	destination TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	timezone TEXT NOT NULL, 
	accommodation JSON, 
	flights JSON, 
	rental_car JSON, 
	client_ref TEXT, 
	UNIQUE (trip_id, client_ref), 
	UNIQUE (id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE
);
INSERT INTO "legs" VALUES(1,'leg_1eqxzc0nbn','trip_dfdewysb14',0.0,'Kyoto','Kyoto, Japan','2027-04-01','2027-04-05','Asia/Tokyo','{"name": "Ryokan", "doorCode": "#4711"}',NULL,NULL,'leg-1');
CREATE TABLE map_pins (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	trip_id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	lat FLOAT NOT NULL, 
	lng FLOAT NOT NULL, 
	category TEXT, 
	notes TEXT, 
	client_ref TEXT, 
	UNIQUE (trip_id, client_ref), 
	UNIQUE (id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE
);
INSERT INTO "map_pins" VALUES(1,'pin_6ry2gy8twe','trip_dfdewysb14','Kinkaku-ji',35.0394,135.7292,NULL,NULL,NULL);
CREATE TABLE messages (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	channel_id TEXT NOT NULL, 
	author_id TEXT NOT NULL, 
	content TEXT NOT NULL, 
	parent_id TEXT, 
	created_at TEXT NOT NULL, 
	UNIQUE (id), 
	FOREIGN KEY(channel_id) REFERENCES channels (id) ON DELETE CASCADE, 
	FOREIGN KEY(author_id) REFERENCES users (id) ON DELETE CASCADE, 
	FOREIGN KEY(parent_id) REFERENCES messages (id) ON DELETE SET NULL
);
INSERT INTO "messages" VALUES(1,'msg_41p2rt47yg','chan_y7qkk5ncdw','usr_ryd9avkj49','See you there',NULL,'2027-01-15T08:00:00.000Z');
CREATE TABLE rate_windows (
	bucket TEXT NOT NULL, 
	started FLOAT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (bucket)
);
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
INSERT INTO "schema_version" VALUES(1);
CREATE TABLE share_tokens (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	trip_id TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	created_at TEXT NOT NULL, 
	UNIQUE (trip_id), 
	FOREIGN KEY(trip_id) REFERENCES trips (id) ON DELETE CASCADE, 
	UNIQUE (digest)
);
INSERT INTO "share_tokens" VALUES(1,'trip_dfdewysb14','5525ef64cb8befee25d627cbe3abf45f9bc5c7301327b2fff5ea179018a4496b','2027-01-15T08:00:00.000Z');
CREATE TABLE trips (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	group_id TEXT NOT NULL, 
	creator_id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	start_date TEXT NOT NULL, 
	end_date TEXT NOT NULL, 
	status TEXT NOT NULL, 
	itinerary_revision INTEGER DEFAULT 0 NOT NULL, 
	UNIQUE (id), 
	FOREIGN KEY(group_id) REFERENCES groups (id) ON DELETE CASCADE, 
	FOREIGN KEY(creator_id) REFERENCES users (id) ON DELETE CASCADE
);
INSERT INTO "trips" VALUES(1,'trip_dfdewysb14','grp_96pnm1ayvm','usr_ryd9avkj49','Kyoto — 京都','2027-04-01','2027-04-10','draft',0);
CREATE TABLE users (
	seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	email TEXT, 
	phone TEXT, 
	UNIQUE (id), 
	UNIQUE (name)
);
INSERT INTO "users" VALUES(1,'usr_ryd9avkj49','owner',NULL,NULL);
CREATE INDEX ix_idempotency_expires_at ON idempotency (expires_at);
CREATE INDEX ix_rate_windows_started ON rate_windows (started);
CREATE INDEX ix_group_members_user_id ON group_members (user_id);
CREATE INDEX ix_trips_group_id ON trips (group_id);
CREATE INDEX legs_in_order ON legs (trip_id, "order", seq);
CREATE INDEX ix_action_items_owner ON action_items (owner);
CREATE INDEX ix_channels_trip_id ON channels (trip_id);
CREATE INDEX ix_event_trips_trip ON event_trips (trip);
CREATE INDEX ix_commitments_map_pin_id ON commitments (map_pin_id);
CREATE INDEX ix_commitments_leg_id ON commitments (leg_id);
CREATE INDEX commitments_by_date ON commitments (trip_id, start_date);
CREATE INDEX ix_messages_parent_id ON messages (parent_id);
CREATE INDEX messages_in_channel ON messages (channel_id, seq);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('users',1);
INSERT INTO "sqlite_sequence" VALUES('groups',1);
INSERT INTO "sqlite_sequence" VALUES('group_members',1);
INSERT INTO "sqlite_sequence" VALUES('trips',1);
INSERT INTO "sqlite_sequence" VALUES('channels',1);
INSERT INTO "sqlite_sequence" VALUES('legs',1);
INSERT INTO "sqlite_sequence" VALUES('action_items',1);
INSERT INTO "sqlite_sequence" VALUES('map_pins',1);
INSERT INTO "sqlite_sequence" VALUES('commitments',1);
INSERT INTO "sqlite_sequence" VALUES('messages',1);
INSERT INTO "sqlite_sequence" VALUES('share_tokens',1);
COMMIT;
