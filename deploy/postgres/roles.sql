-- One role and one schema per service, for an administrator who makes them by hand. The statements are
-- those of launcher/postgres/roles.py (a test compares them); `peakdesk-deploy setup` runs the same ones.
--
--   psql --dbname=peakdesk --set=ON_ERROR_STOP=1 --set=database=peakdesk \
--     --set=pd_conversation=... --set=pd_orders=... --set=pd_aftersales=... --set=pd_monitor=... \
--     --file=deploy/postgres/roles.sql
--
-- or, with the passwords of deploy/secrets filled in: `./peakdesk deploy sql | psql --dbname=peakdesk`.

CREATE ROLE pd_conversation LOGIN NOINHERIT PASSWORD :'pd_conversation';
CREATE ROLE pd_orders LOGIN NOINHERIT PASSWORD :'pd_orders';
CREATE ROLE pd_aftersales LOGIN NOINHERIT PASSWORD :'pd_aftersales';
CREATE ROLE pd_monitor LOGIN NOINHERIT PASSWORD :'pd_monitor';

GRANT pd_conversation TO CURRENT_USER;
GRANT CONNECT ON DATABASE :"database" TO pd_conversation;
CREATE SCHEMA IF NOT EXISTS conversation AUTHORIZATION pd_conversation;
ALTER ROLE pd_conversation IN DATABASE :"database" SET search_path = conversation;

GRANT pd_orders TO CURRENT_USER;
GRANT CONNECT ON DATABASE :"database" TO pd_orders;
CREATE SCHEMA IF NOT EXISTS orders AUTHORIZATION pd_orders;
ALTER ROLE pd_orders IN DATABASE :"database" SET search_path = orders;

GRANT pd_aftersales TO CURRENT_USER;
GRANT CONNECT ON DATABASE :"database" TO pd_aftersales;
CREATE SCHEMA IF NOT EXISTS aftersales AUTHORIZATION pd_aftersales;
ALTER ROLE pd_aftersales IN DATABASE :"database" SET search_path = aftersales;

GRANT pd_monitor TO CURRENT_USER;
GRANT CONNECT ON DATABASE :"database" TO pd_monitor;
CREATE SCHEMA IF NOT EXISTS monitor AUTHORIZATION pd_monitor;
ALTER ROLE pd_monitor IN DATABASE :"database" SET search_path = monitor;
