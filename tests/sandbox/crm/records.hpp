// SPDX-License-Identifier: PostgreSQL
#pragma once

#include "../clock.hpp"
#include "metadata.hpp"
#include "people.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

namespace crm_bridge::sandbox::crm {

struct Record {
  std::int64_t id = 0;
  Json values = Json::object();  // lookups as id, empty = absent
  std::string what_module;       // the module of What_Id or Parent_Id
  std::int64_t created = 0;      // seconds, as in all of the CRM's times
  std::int64_t modified = 0;
  std::string created_by;
  std::string modified_by;
  std::shared_ptr<const Record> before;  // its last change, for stale reads

  Json value(const std::string &field) const {
    const auto found = values.find(field);
    return found == values.end() ? Json() : *found;
  }
};

struct Deleted {
  std::int64_t id = 0;
  std::string display_name;
  bool permanent = false;
  std::string deleted_by;
  std::string created_by;
  std::int64_t at = 0;
};

// An accepted effect: for the callbacks and the journal.
struct Change {
  std::string module;
  std::string operation;  // insert, update, delete
  std::int64_t id = 0;
  Json values = Json::object();  // the fields that changed, as a reader sees them
};

struct Effects {
  std::vector<Change> changes;
  std::int64_t mails = 0;  // what a person outside would have been sent
};

struct Shelf {
  std::map<std::int64_t, Record> records;
  std::set<std::pair<std::int64_t, std::int64_t>> by_modified;  // modified, id
  // field → lower-case value → ids, for unique fields and the one that upserts check
  std::map<std::string, std::unordered_multimap<std::string, std::int64_t>> index;
  std::deque<Deleted> deleted;  // newest last
};

// {"code", "details", "message", "status": "error"}
Json error_item(const std::string &code, Json details, const std::string &message);

// All records of all modules, with the checks that every writer meets, program or person.
class Records {
 public:
  Records(Metadata &metadata, People &people, Clock &clock, std::int64_t zone_offset)
      : metadata_{metadata}, people_{people}, clock_{clock}, zone_offset_{zone_offset} {}

  // Each returns the element of the answer's "data" that belongs to this record.
  Json insert(Module &module, const Json &input, const std::string &actor, const std::string &path,
              Effects &effects);
  Json update(Module &module, Record &record, const Json &input, const std::string &actor,
              const std::string &path, Effects &effects);
  Json remove(Module &module, const std::string &id, const std::string &actor, bool permanent,
              Effects &effects);
  // The loser's values fill what the master lacks, and replace what `taken` names; what refers to
  // the loser refers to the master from now on; the loser is deleted.
  Json merge(Module &module, const std::string &master, const std::string &loser,
             const std::vector<std::string> &taken, const std::string &actor, Effects &effects);

  Shelf &shelf(const std::string &module) { return shelves_[module]; }
  Record *find(const std::string &module, const std::string &id);
  std::vector<std::int64_t> find_equal(const std::string &module, const std::string &field,
                                       const std::string &value);

  // A record as a reader sees it; no fields = all of them and the system keys.
  Json render(const Module &module, const Record &record, const std::vector<std::string> &fields);
  // One field as a reader sees it.
  Json render_field(const Module &module, const Record &record, const std::string &field);
  std::string display_name(const Module &module, const Record &record) const;
  std::string time(std::int64_t seconds) const { return iso_with_offset(seconds, zone_offset_); }

 private:
  struct Draft {
    Json values = Json::object();
    std::string what_module;
    bool what_module_sent = false;
    std::vector<Json> errors;
  };
  Draft check(Module &module, const Json &input, const Record *existing, const std::string &path);
  std::optional<Json> check_value(Field &field, const Json &input, Draft &draft,
                                  const std::string &path);
  std::optional<Json> check_lookup(const Field &field, const Json &input, Draft &draft,
                                   const std::string &path);
  std::optional<Json> find_duplicate(const Module &module, const Json &values,
                                     const Record *existing, const std::string &path);
  void complete(const Module &module, Record &record, const Json &changed);
  void rewrite(const Module &module, Record &record, const Json &values, const std::string &actor,
               Effects &effects);
  void index(const Module &module, const Record &record, bool present);
  Json success(const Record &record, const std::string &message);

  Metadata &metadata_;
  People &people_;
  Clock &clock_;
  const std::int64_t zone_offset_;
  std::map<std::string, Shelf> shelves_;
  std::int64_t last_id_ = 4876876000000111000;
};

}  // namespace crm_bridge::sandbox::crm
