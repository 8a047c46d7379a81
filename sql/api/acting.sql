-- Who acts, and the checks that follow from it.  Written in C: row security and the guard ask them for every row.

-- Says for whom the rest of the transaction acts.  Argument: the id or e-mail address of a CRM user.  Result: the user's id.
-- Errors: 42501 the calling role is no app or administrator of the organization, or stands for another person; 42704 no such
-- user; 21000 several; 55000 the user is not active; 25P01 outside of a transaction block.
CREATE OR REPLACE FUNCTION crm_bridge.act_as(person text, org_id bigint DEFAULT NULL)
RETURNS uuid
LANGUAGE c VOLATILE
AS 'MODULE_PATHNAME', 'crm_bridge_act_as';
COMMENT ON FUNCTION crm_bridge.act_as(text, bigint) IS
  'says for which CRM user the rest of the transaction acts: that person''s rights count, and history names him';
REVOKE ALL ON FUNCTION crm_bridge.act_as(text, bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge.acting_user()
RETURNS uuid
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_acting_user';
COMMENT ON FUNCTION crm_bridge.acting_user() IS
  'the CRM user whom the session acts for, by act_as() or because its role stands for him; NULL: the role acts for itself';

CREATE OR REPLACE FUNCTION crm_bridge._acting_organization()
RETURNS bigint
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_acting_organization';
COMMENT ON FUNCTION crm_bridge._acting_organization() IS 'the organization of the user given to act_as()';
REVOKE ALL ON FUNCTION crm_bridge._acting_organization() FROM PUBLIC;

-- For policies: current_org(), or NULL for whoever may not see the data of Projects (R31, R36).
CREATE OR REPLACE FUNCTION crm_bridge._visible_org()
RETURNS bigint
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_visible_org';
COMMENT ON FUNCTION crm_bridge._visible_org() IS 'the session''s organization, NULL where tab or View is denied';

CREATE OR REPLACE FUNCTION crm_bridge._may_see(subject text)
RETURNS boolean
LANGUAGE c STABLE STRICT PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_may_see';
COMMENT ON FUNCTION crm_bridge._may_see(text) IS 'whether what is noted of a module or a pairing may be seen';

CREATE OR REPLACE FUNCTION crm_bridge._crm_details_org()
RETURNS bigint
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'crm_bridge_crm_details_org';
COMMENT ON FUNCTION crm_bridge._crm_details_org() IS 'the session''s organization for the portal''s administrator, else NULL (R144)';
REVOKE ALL ON FUNCTION crm_bridge._crm_details_org() FROM PUBLIC;

-- For functions that write for a person with their owner's rights: the flags that the guard would ask for.
-- Argument: action, one of tab, view, create, edit, delete.  Errors: 42501 denied; 22023 unknown action.
CREATE OR REPLACE FUNCTION crm_bridge._demand_permission(action text, org_id bigint)
RETURNS void
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_demand_permission';
COMMENT ON FUNCTION crm_bridge._demand_permission(text, bigint) IS 'raises 42501 unless whoever calls may do this to records of Projects';
REVOKE ALL ON FUNCTION crm_bridge._demand_permission(text, bigint) FROM PUBLIC;

-- R1.  Errors: 42501 unless the calling role is bound as administrator and, where it acts for a user, the user's profile is
-- an administrator's (setting administrator_profiles); superusers and the owner pass.
CREATE OR REPLACE FUNCTION crm_bridge._demand_administrator(org_id bigint)
RETURNS void
LANGUAGE c STABLE STRICT
AS 'MODULE_PATHNAME', 'crm_bridge_demand_administrator';
COMMENT ON FUNCTION crm_bridge._demand_administrator(bigint) IS 'raises 42501 unless whoever calls is an administrator of the organization (R1)';
REVOKE ALL ON FUNCTION crm_bridge._demand_administrator(bigint) FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._administrators_only()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_administrators_only';
COMMENT ON FUNCTION crm_bridge._administrators_only() IS 'before each row of a table that administrators write: is it one?';
REVOKE ALL ON FUNCTION crm_bridge._administrators_only() FROM PUBLIC;

CREATE OR REPLACE FUNCTION crm_bridge._people_changed()
RETURNS trigger
LANGUAGE c
AS 'MODULE_PATHNAME', 'crm_bridge_people_changed';
COMMENT ON FUNCTION crm_bridge._people_changed() IS 'statement trigger of users, profiles and their flags: all backends look anew who may what';
REVOKE ALL ON FUNCTION crm_bridge._people_changed() FROM PUBLIC;

DO $triggers$
DECLARE
  watched text;
BEGIN
  FOREACH watched IN ARRAY ARRAY['crm_user', 'crm_profile', 'projects_user', 'projects_portal', 'profile_permission'] LOOP
    EXECUTE format('CREATE TRIGGER "1_people_changed" AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON crm_bridge.%I FOR EACH STATEMENT EXECUTE FUNCTION crm_bridge._people_changed()', watched);
  END LOOP;
  FOREACH watched IN ARRAY ARRAY['field_mapping', 'merge_policy', 'setting', 'budget_limit'] LOOP
    EXECUTE format('CREATE TRIGGER "0_administrators_only" BEFORE INSERT OR UPDATE OR DELETE ON crm_bridge.%I FOR EACH ROW EXECUTE FUNCTION crm_bridge._administrators_only()', watched);
  END LOOP;
END
$triggers$;
