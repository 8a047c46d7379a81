// SPDX-License-Identifier: PostgreSQL
#include "bridge.hpp"

#include <ctime>
#include <stdexcept>

namespace crm_bridge::convergence {

namespace {

// Both faces as the protocol writes them down.
constexpr const char *select_faces = R"(
  SELECT CASE WHEN c.id IS NOT NULL THEN
         jsonb_build_object('subject', c.subject, 'description', c.description, 'due_date', c.due_date, 'priority', c.priority,
                            'status', c.status, 'owner_id', c.owner_id) END,
         CASE WHEN p.id IS NOT NULL THEN
         jsonb_build_object('name', p.name, 'description', p.description, 'end_date', p.end_date, 'priority', p.priority,
                            'is_completed', p.is_completed, 'owner_ids', p.owner_ids) END,
         l.link_id IS NOT NULL,
         EXISTS (SELECT 1 FROM crm_bridge.reconcile_request AS r WHERE r.org_id = 1 AND r.link_id = l.link_id)
    FROM unnest($1::uuid[], $2::uuid[]) WITH ORDINALITY AS u (left_id, right_id, position)
    LEFT JOIN crm_bridge.link AS l ON l.org_id = 1 AND l.left_id = u.left_id AND l.pairing = 'task_task' AND l.right_id = u.right_id AND l.state = 'active'
    LEFT JOIN crm_bridge.crm_task AS c ON c.org_id = 1 AND c.id = u.left_id
    LEFT JOIN crm_bridge.projects_task AS p ON p.org_id = 1 AND p.id = u.right_id
   ORDER BY u.position)";

constexpr const char *write_crm = R"(
  UPDATE crm_bridge.crm_task AS t
     SET subject = CASE WHEN e.v ? 'subject' THEN e.v ->> 'subject' ELSE t.subject END,
         description = CASE WHEN e.v ? 'description' THEN e.v ->> 'description' ELSE t.description END,
         due_date = CASE WHEN e.v ? 'due_date' THEN (e.v ->> 'due_date')::date ELSE t.due_date END,
         priority = CASE WHEN e.v ? 'priority' THEN e.v ->> 'priority' ELSE t.priority END,
         status = CASE WHEN e.v ? 'status' THEN e.v ->> 'status' ELSE t.status END,
         owner_id = CASE WHEN e.v ? 'owner_id' THEN (e.v ->> 'owner_id')::uuid ELSE t.owner_id END
    FROM jsonb_to_recordset($1::jsonb) AS e (id uuid, v jsonb) WHERE t.org_id = 1 AND t.id = e.id)";

constexpr const char *write_projects = R"(
  UPDATE crm_bridge.projects_task AS t
     SET name = CASE WHEN e.v ? 'name' THEN e.v ->> 'name' ELSE t.name END,
         description = CASE WHEN e.v ? 'description' THEN e.v ->> 'description' ELSE t.description END,
         end_date = CASE WHEN e.v ? 'end_date' THEN (e.v ->> 'end_date')::timestamptz ELSE t.end_date END,
         priority = CASE WHEN e.v ? 'priority' THEN e.v ->> 'priority' ELSE t.priority END,
         is_completed = CASE WHEN e.v ? 'is_completed' THEN (e.v ->> 'is_completed')::boolean ELSE t.is_completed END,
         owner_ids = CASE WHEN e.v ? 'owner_ids' THEN ARRAY(SELECT jsonb_array_elements_text(e.v -> 'owner_ids')::uuid) ELSE t.owner_ids END
    FROM jsonb_to_recordset($1::jsonb) AS e (id uuid, v jsonb) WHERE t.org_id = 1 AND t.id = e.id)";

Json mapped(const Json &value, const std::map<std::string, std::string> &words) {
  if (value.is_string()) return words.at(value.get<std::string>());
  if (!value.is_array()) return value;
  Json list = Json::array();
  for (const Json &each : value) list.push_back(words.at(each.get<std::string>()));
  return list;
}

}  // namespace

std::string instant_text(std::int64_t seconds) {
  const std::time_t moment = seconds;
  std::tm parts{};
  gmtime_r(&moment, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S+00:00", &parts);
  return text.data();
}

Bridge::Bridge() : connection_("") { run("SET timezone = 'UTC'"); }

pqxx::result Bridge::run(const std::string &sql) {
  pqxx::nontransaction transaction{connection_};
  return transaction.exec(sql);
}

std::string Bridge::array(const std::vector<std::string> &words) {
  std::string text = "{";
  for (const std::string &word : words) text += (text.size() > 1 ? "," : "") + word;
  return text + "}";
}

Json Bridge::outward(std::size_t field, Json value) const {
  return field == owner ? mapped(value, external_of_) : value;
}

Json Bridge::inward(std::size_t field, Json value) const {
  return field == owner ? mapped(value, own_of_) : value;
}

void Bridge::set_up() {
  run("SET client_min_messages = warning");
  run("SELECT crm_bridge.create_organization(1, 'Zylker', 'enterprise', 'Asia/Kolkata')");
  // A network as bad as this one would have records given up that somebody looks after elsewhere.
  run("SELECT crm_bridge.set_setting('maximum_attempts', '1000')");
  // Thousands of people delete at once, and nobody is to be asked.
  for (const char *limit : {"mass_change_limit", "mass_change_share", "mass_create_limit"})
    run("SELECT crm_bridge.set_setting($1, '0')", limit);
  run("SELECT crm_bridge.activate_projects()");
  const auto told = [&](const std::string &module, const Json &records) {
    run("SELECT * FROM crm_bridge.receive($1, $2::jsonb, clock_timestamp(), org_id => 1)", module,
        records.dump());
  };
  told("projects_portal",
       Json::array({{{"external_id", "portal"},
                     {"fields", {{"name", "Zylker"}, {"time_zone", "America/New_York"}}}}}));
  run("SELECT crm_bridge.choose_portal('Zylker')");
  run("DELETE FROM crm_bridge.command");
  for (const char *person : people) {
    const std::string name = person;
    told("crm_user", Json::array({{{"external_id", "c-" + name},
                                   {"fields",
                                    {{"full_name", name},
                                     {"email", name + "@zylker.example"},
                                     {"status", "active"}}}}}));
    told("projects_user", Json::array({{{"external_id", "p-" + name},
                                        {"fields",
                                         {{"full_name", name},
                                          {"email", name + "@zylker.example"},
                                          {"is_active", true},
                                          {"portal_id", "portal"}}}}}));
  }
  for (const auto &row : run("SELECT s.record_id, s.external_id FROM crm_bridge.shadow AS s WHERE "
                             "s.module IN ('crm_user', 'projects_user')")) {
    external_of_[row[0].c_str()] = row[1].c_str();
    own_of_[row[1].c_str()] = row[0].c_str();
  }
  run("INSERT INTO crm_bridge.crm_account (account_name) VALUES ('Acme')");
  run("INSERT INTO crm_bridge.crm_deal (deal_name, stage, account_id) SELECT 'Routers', "
      "'Negotiation/Review', a.id FROM crm_bridge.crm_account AS a");
  run("SELECT crm_bridge.create_project_from_deal(d.id) FROM crm_bridge.crm_deal AS d");
  settle_all();
}

// Everything that is due is done by services that take everything.
void Bridge::settle_all() {
  const std::string lease = new_lease();
  for (bool more = true; more;) {
    more = false;
    for (const Side side : sides) {
      Json results = Json::array();
      for (const auto &row : run("SELECT c.module, c.record_id FROM crm_bridge.claim($1, 1000, "
                                 "$2::uuid, org_id => 1) AS c",
                                 service_of(side), lease)) {
        results.push_back({{"module", row[0].c_str()},
                           {"record_id", row[1].c_str()},
                           {"version", instant_text(1'750'000'000)},
                           {"external_id", std::string("made-") + row[0].c_str()}});
      }
      if (results.empty()) continue;
      acknowledge(lease, results);
      more = true;
    }
  }
}

std::vector<Bridge::Faces> Bridge::faces(const std::vector<std::string> &left_ids,
                                         const std::vector<std::string> &right_ids) {
  std::vector<Faces> found;
  for (const auto &row : run(select_faces, array(left_ids), array(right_ids))) {
    Faces faces;
    if (!row[0].is_null()) faces.left = Json::parse(row[0].c_str());
    if (!row[1].is_null()) faces.right = Json::parse(row[1].c_str());
    faces.linked = row[2].as<bool>();
    faces.apart = row[3].as<bool>();
    for (auto [face, field] : {std::pair{&faces.left, "owner_id"}, {&faces.right, "owner_ids"}})
      if (!face->is_null()) (*face)[field] = outward(owner, (*face)[field]);
    found.push_back(std::move(faces));
  }
  return found;
}

std::vector<std::string> Bridge::twins(const std::vector<std::string> &left_ids) {
  std::vector<std::string> ids;
  for (const auto &row : run("SELECT l.right_id FROM unnest($1::uuid[]) WITH ORDINALITY AS u (id, "
                             "position) JOIN crm_bridge.link AS l ON l.org_id = 1 AND l.left_id = "
                             "u.id AND l.pairing = 'task_task' ORDER BY u.position",
                             array(left_ids)))
    ids.emplace_back(row[0].c_str());
  if (ids.size() != left_ids.size()) throw std::runtime_error("a task has no twin");
  return ids;
}

std::vector<std::string> Bridge::add_to_crm(const std::vector<std::string> &external_ids) {
  std::vector<std::string> ids;
  for (
      const auto &row :
      run(R"(SELECT crm_bridge.add_task_to_crm(s.record_id, (SELECT d.id FROM crm_bridge.crm_deal AS d))
      FROM unnest($1::text[]) WITH ORDINALITY AS u (id, position)
      JOIN crm_bridge.shadow AS s ON s.org_id = 1 AND s.module = 'projects_task' AND s.external_id = u.id ORDER BY u.position)",
          array(external_ids)))
    ids.emplace_back(row[0].c_str());
  return ids;
}

void Bridge::write_face(Side side, Json edits, bool repeatable_read) {
  for (Json &edit : edits)
    if (const auto found = edit["v"].find(name_of(side, owner)); found != edit["v"].end())
      *found = inward(owner, *found);
  commit(side == Side::crm ? write_crm : write_projects, edits.dump(), repeatable_read);
}

void Bridge::delete_faces(Side side, const std::vector<std::string> &ids, bool repeatable_read) {
  commit(side == Side::crm
             ? "DELETE FROM crm_bridge.crm_task AS t WHERE t.org_id = 1 AND t.id = ANY ($1::uuid[])"
             : "DELETE FROM crm_bridge.projects_task AS t WHERE t.org_id = 1 AND t.id = ANY "
               "($1::uuid[])",
         array(ids), repeatable_read);
}

void Bridge::commit(const char *sql, const std::string &argument, bool repeatable_read) {
  if (!repeatable_read) {
    run(sql, argument);
    return;
  }
  pqxx::transaction<pqxx::repeatable_read> transaction{connection_};
  transaction.exec_params(sql, argument);
  transaction.commit();
}

std::string Bridge::new_lease() {
  return run("SELECT l.id, crm_bridge.heartbeat(l.id, 'the model', '1 day') FROM (SELECT "
             "crm_bridge.new_id() AS id OFFSET 0) AS l")[0][0]
      .c_str();
}

void Bridge::break_lease(const std::string &lease) {
  run("UPDATE crm_bridge.lease SET renewed_at = now() - interval '2 days' WHERE lease = $1::uuid",
      lease);
}

void Bridge::forget_backoff() {
  run("UPDATE crm_bridge.delivery SET not_before = '-infinity' WHERE state = 'pending' AND "
      "not_before > '-infinity'");
}

std::vector<Bridge::Claimed> Bridge::claim(Side side, const std::string &lease) {
  std::vector<Claimed> claimed;
  for (const auto &row :
       run("SELECT c.record_id, c.operation, c.external_id, COALESCE(extract(epoch FROM "
           "c.version)::bigint, 0), c.fields, c.module, c.in_doubt"
           "  FROM crm_bridge.claim($1, 10000, $2::uuid, org_id => 1) AS c ORDER BY c.record_id",
           service_of(side), lease)) {
    if (row[5].c_str() != std::string(module_of(side)))
      throw std::runtime_error("a record of another module is due");
    claimed.push_back({row[0].c_str(), row[1].c_str(), row[2].is_null() ? "" : row[2].c_str(),
                       row[3].as<std::int64_t>(), Json::parse(row[4].c_str()), row[6].as<bool>()});
  }
  return claimed;
}

std::map<std::string, std::string> Bridge::acknowledge(const std::string &lease,
                                                       const Json &results) {
  std::map<std::string, std::string> outcomes;
  for (const auto &row :
       run("SELECT a.record_id, a.outcome FROM crm_bridge.acknowledge($1::uuid, $2::jsonb, 1) AS a",
           lease, results.dump()))
    outcomes[row[0].c_str()] = row[1].c_str();
  return outcomes;
}

void Bridge::fail(const std::string &lease, const Json &failures) {
  run("SELECT * FROM crm_bridge.fail($1::uuid, $2::jsonb, 1)", lease, failures.dump());
}

std::string Bridge::clock() { return run("SELECT clock_timestamp()")[0][0].c_str(); }

std::map<std::string, std::string> Bridge::receive(Side side, const Json &records,
                                                   const std::string &read_started_at) {
  std::map<std::string, std::string> outcomes;
  constexpr std::size_t most = 1000;
  for (std::size_t begin = 0; begin < records.size(); begin += most) {
    Json part = Json::array();
    for (std::size_t i = begin; i < std::min(begin + most, records.size()); ++i)
      part.push_back(records[i]);
    for (const auto &row :
         run("SELECT r.external_id, r.outcome, r.detail FROM crm_bridge.receive($1, $2::jsonb, "
             "$3::timestamptz, org_id => 1) AS r",
             module_of(side), part.dump(), read_started_at)) {
      const std::string outcome = row[1].c_str();
      if (outcome == "rejected" || outcome == "held")
        throw std::runtime_error("receive: " + outcome + ": " +
                                 (row[2].is_null() ? "" : row[2].c_str()));
      outcomes[row[0].c_str()] = outcome;
    }
  }
  return outcomes;
}

void Bridge::store_notices(Side side, const std::vector<std::string> &external_ids) {
  run("SELECT crm_bridge.store_notice($1, 'model', $2, $3::text[], 'edit', '{}', org_id => 1)",
      service_of(side), module_of(side), array(external_ids));
}

std::vector<std::pair<std::string, std::string>> Bridge::take_notices(Side side,
                                                                      const std::string &lease) {
  std::vector<std::pair<std::string, std::string>> notices;
  for (const auto &row : run("SELECT n.external_id, n.notice_ids FROM crm_bridge.take_notices($1, "
                             "10000, $2::uuid, 1) AS n ORDER BY 1",
                             service_of(side), lease))
    notices.emplace_back(row[0].c_str(), row[1].c_str());
  return notices;
}

void Bridge::finish_notices(const std::string &notice_ids) {
  run("SELECT crm_bridge.finish_notices($1::uuid[], 1)", notice_ids);
}

void Bridge::reconcile() {
  if (run("SELECT crm_bridge.reconcile(100000, 1)")[0][0].as<int>() != 0)
    throw std::runtime_error("reconcile found something busy");
}

void Bridge::set_policy(const std::string &scope, const std::string &field,
                        const std::string &policy) {
  run("SELECT crm_bridge.set_merge_policy($1, $2, $3)", scope, field, policy);
}

std::vector<Bridge::Question> Bridge::questions(const std::vector<std::string> &records) {
  std::vector<Question> questions;
  for (const auto &row :
       run("SELECT c.conflict_id, c.record_id, c.field, c.link_id IS NOT NULL FROM "
           "crm_bridge.conflict AS c WHERE c.org_id = 1 AND c.record_id = ANY ($1::uuid[]) AND "
           "c.winner = 'none' AND c.resolved_at IS NULL ORDER BY c.conflict_id",
           array(records)))
    questions.push_back({row[0].c_str(), row[1].c_str(), row[2].c_str(), row[3].as<bool>()});
  return questions;
}

bool Bridge::decide(const std::string &question, const std::string &decision, const Json &value) {
  try {
    run("SELECT crm_bridge.resolve_conflict($1::uuid, $2, $3::jsonb, 1)", question, decision,
        value.is_null() ? nullptr : value.dump().c_str());
    return true;
  } catch (const pqxx::sql_error &error) {
    if (error.sqlstate() == "42704" || error.sqlstate() == "55000") return false;
    throw;
  }
}

}  // namespace crm_bridge::convergence
