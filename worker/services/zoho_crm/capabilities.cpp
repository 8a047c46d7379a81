// SPDX-License-Identifier: PostgreSQL
// What this connector can do, how and at what cost: shown by `doctor`, kept in the table
// capability.
#include "services/zoho_crm/connector.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

constexpr const char *documented = "documented";
constexpr const char *assumed = "assumed";
constexpr const char *absent = "absent";

void add_records(std::vector<Capability> &table, const std::string &module,
                 const std::string &bridge_field) {
  const std::string safe =
      bridge_field.empty()
          ? "not safe: no bridge_field is configured, so a lost answer leaves the record in doubt"
          : "carries our id in the unique field " + bridge_field +
                ", so that a second attempt finds the first";
  table.push_back({module, "create", "POST, up to 100 records; " + safe,
                   "1 for 100; 1 more for 100 in doubt (COQL)", documented});
  table.push_back(
      {module, "update",
       "PUT, up to 100 records; one alone with If-Unmodified-Since, several after a look "
       "at what they would overwrite",
       "1 for one, 2 for one of a moment ago and for 100", documented});
  table.push_back(
      {module, "delete", "DELETE ?ids=, up to 100; into the recycle bin", "1 for 100", documented});
  table.push_back({module, "find changes",
                   "list by Modified_Time with If-Modified-Since, page_token behind 2,000",
                   "1 for 200, at least 1 a poll; as often again for every 50 fields", documented});
  table.push_back(
      {module, "find deletions",
       "/deleted with If-Modified-Since: 60 days back for the recycle bin, 120 for what "
       "was purged",
       "1 for 200, at least 1 a poll", documented});
  table.push_back({module, "notifications",
                   "/actions/watch, a channel of a week; what it names is read again",
                   "1 for 100 named records", documented});
  table.push_back(
      {module, "find merges",
       bridge_field.empty()
           ? "no call tells them: the loser is deleted; record_merged() says which survived"
           : "no call tells them: the loser is deleted; a survivor that took over its " +
                 bridge_field + " is recognised, else record_merged() says which it is",
       "0", absent});
}

void add_notes(std::vector<Capability> &table) {
  const std::string note = "crm_note";
  table.push_back({note, "create",
                   "POST, up to 100; a lost one is looked for by its words among the notes of its "
                   "record",
                   "1 for 100; 1 more for each record with one in doubt", documented});
  table.push_back({note, "update", "PUT, up to 100; unguarded", "1 for 100", documented});
  table.push_back({note, "move to another record", "Parent_Id in a PUT", "1 for 100", assumed});
  table.push_back({note, "delete", "DELETE ?ids=, up to 100", "1 for 100", documented});
  table.push_back(
      {note, "find changes",
       "list by Modified_Time, newest first, back to the last poll; administrators only",
       "1 for 200, at least 1 a poll", documented});
  table.push_back(
      {note, "find deletions",
       "/deleted where the service has it; otherwise known notes are asked for by id, 500 "
       "a poll",
       "1, or 1 for 100 known and 1 for each that is missing", documented});
  table.push_back(
      {note, "notifications", "the service has none for notes: they are polled", "0", absent});
}

}  // namespace

std::vector<Capability> Connector::capabilities() const {
  std::vector<Capability> table;
  table.push_back({"crm_profile", "find changes", "the whole list", "1 a poll", documented});
  table.push_back(
      {"crm_user", "find changes",
       "list of all users with If-Modified-Since; deleted ones are told by their status",
       "1 for 200, at least 1 a poll", documented});
  for (const char *module : {"crm_account", "crm_contact", "crm_lead", "crm_deal", "crm_task"})
    add_records(table, module, bridge_field_);
  add_notes(table);
  return table;
}

}  // namespace crm_bridge::worker::zoho_crm
