-- One schema, its owner and its run role per service, for an administrator who makes them by hand. The
-- statements are those of launcher/postgres/roles.py (a test compares them); `peakdesk-deploy setup` runs the same
-- ones. `administrator` is the login of database_admin_url: migrations act as the owners through it.
--
--   psql --dbname=peakdesk --set=ON_ERROR_STOP=1 --set=database=peakdesk --set=administrator=... \
--     --set=pd_conversation=... --set=pd_orders=... --set=pd_aftersales=... --set=pd_monitor=... \
--     --file=deploy/postgres/roles.sql
--
-- or, with the passwords of deploy/secrets filled in: `./peakdesk deploy sql | psql --dbname=peakdesk`.

CREATE ROLE pd_conversation LOGIN NOINHERIT PASSWORD :'pd_conversation';
CREATE ROLE pd_orders LOGIN NOINHERIT PASSWORD :'pd_orders';
CREATE ROLE pd_aftersales LOGIN NOINHERIT PASSWORD :'pd_aftersales';
CREATE ROLE pd_monitor LOGIN NOINHERIT PASSWORD :'pd_monitor';

CREATE ROLE pd_conversation_owner NOLOGIN;
CREATE ROLE pd_orders_owner NOLOGIN;
CREATE ROLE pd_aftersales_owner NOLOGIN;
CREATE ROLE pd_monitor_owner NOLOGIN;

GRANT pd_conversation_owner TO :"administrator";
GRANT CONNECT ON DATABASE :"database" TO pd_conversation;
CREATE SCHEMA IF NOT EXISTS conversation AUTHORIZATION pd_conversation_owner;
GRANT USAGE ON SCHEMA conversation TO pd_conversation;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_conversation_owner IN SCHEMA conversation GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pd_conversation;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_conversation_owner IN SCHEMA conversation GRANT USAGE ON SEQUENCES TO pd_conversation;
ALTER ROLE pd_conversation IN DATABASE :"database" SET search_path = conversation;

GRANT pd_orders_owner TO :"administrator";
GRANT CONNECT ON DATABASE :"database" TO pd_orders;
CREATE SCHEMA IF NOT EXISTS orders AUTHORIZATION pd_orders_owner;
GRANT USAGE ON SCHEMA orders TO pd_orders;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_orders_owner IN SCHEMA orders GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pd_orders;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_orders_owner IN SCHEMA orders GRANT USAGE ON SEQUENCES TO pd_orders;
ALTER ROLE pd_orders IN DATABASE :"database" SET search_path = orders;

GRANT pd_aftersales_owner TO :"administrator";
GRANT CONNECT ON DATABASE :"database" TO pd_aftersales;
CREATE SCHEMA IF NOT EXISTS aftersales AUTHORIZATION pd_aftersales_owner;
GRANT USAGE ON SCHEMA aftersales TO pd_aftersales;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_aftersales_owner IN SCHEMA aftersales GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pd_aftersales;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_aftersales_owner IN SCHEMA aftersales GRANT USAGE ON SEQUENCES TO pd_aftersales;
ALTER ROLE pd_aftersales IN DATABASE :"database" SET search_path = aftersales;

GRANT pd_monitor_owner TO :"administrator";
GRANT CONNECT ON DATABASE :"database" TO pd_monitor;
CREATE SCHEMA IF NOT EXISTS monitor AUTHORIZATION pd_monitor_owner;
GRANT USAGE ON SCHEMA monitor TO pd_monitor;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_monitor_owner IN SCHEMA monitor GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO pd_monitor;
ALTER DEFAULT PRIVILEGES FOR ROLE pd_monitor_owner IN SCHEMA monitor GRANT USAGE ON SEQUENCES TO pd_monitor;
ALTER ROLE pd_monitor IN DATABASE :"database" SET search_path = monitor;
