-- Who and where: ids, the organization of the session, the role that is really asking.

-- A new record id: UUID version 7, so that ids made later sort later and inserts stay at the index's right edge.
CREATE OR REPLACE FUNCTION crm_bridge.new_id()
RETURNS uuid
LANGUAGE c VOLATILE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_new_id';
COMMENT ON FUNCTION crm_bridge.new_id() IS
  'a new record id (UUID version 7); ids made later by the same session sort later';

-- The organization that this session works for: the one that role_binding gives the calling role, or the
-- only one there is.  SET crm_bridge.organization narrows a choice of several; it never widens it.
-- NULL where there is none or several are left.
CREATE OR REPLACE FUNCTION crm_bridge.current_org()
RETURNS bigint
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_current_org';
COMMENT ON FUNCTION crm_bridge.current_org() IS
  'the organization this session works for; NULL if there is none or it is not settled (SET crm_bridge.organization)';

-- The role that is asking, also inside a SECURITY DEFINER function and after SET ROLE.
CREATE OR REPLACE FUNCTION crm_bridge.calling_role()
RETURNS name
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_calling_role';
COMMENT ON FUNCTION crm_bridge.calling_role() IS
  'the role that is asking: current_user as it is outside of any SECURITY DEFINER function';

-- Tells all backends that installation or configuration tables have changed, so that they forget what they cached.
CREATE OR REPLACE FUNCTION crm_bridge._configuration_changed()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_configuration_changed';
COMMENT ON FUNCTION crm_bridge._configuration_changed() IS
  'statement trigger of the configuration tables: all backends read them again';
REVOKE ALL ON FUNCTION crm_bridge._configuration_changed() FROM PUBLIC;

-- The time by which budgets and channels lapse: the server's, moved by crm_bridge.clock_offset in tests.
CREATE OR REPLACE FUNCTION crm_bridge._clock()
RETURNS timestamptz
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'crm_bridge_clock';
COMMENT ON FUNCTION crm_bridge._clock() IS 'the time by which trials, budgets and channels lapse; a superuser moves it for tests (crm_bridge.clock_offset)';
REVOKE ALL ON FUNCTION crm_bridge._clock() FROM PUBLIC;
