// SPDX-License-Identifier: PostgreSQL
#include "services/zoho_crm/results.hpp"

#include <algorithm>
#include <array>

#include "services/field_value.hpp"

namespace crm_bridge::worker::zoho_crm {
namespace {

// The service's own words, without values.
std::string words_of(const Json &element) {
  std::string words = scalar_text(element, "code") + ": " + scalar_text(element, "message");
  if (const std::string name = scalar_text(element, "details.api_name"); !name.empty())
    words += " (" + name + ")";
  if (const Json *errors = find(element, "details.errors");
      errors != nullptr && errors->is_array()) {
    for (const auto &error : *errors) words += "; " + words_of(error);
  }
  return words;
}

bool speaks_of_the_id(const Json &element) {
  const std::string name = scalar_text(element, "details.api_name");
  if (name == "id" || scalar_text(element, "details.json_path").ends_with(".id")) return true;
  return name.empty() && scalar_text(element, "message") == "the id given seems to be invalid";
}

// Codes by which the service says that it did nothing with a record, and what is wrong with it.
constexpr std::array<std::string_view, 23> refusals{"AMBIGUITY_DURING_PROCESSING",
                                                    "CANNOT_PERFORM_ACTION",
                                                    "DEPENDENT_FIELD_MISSING",
                                                    "DEPENDENT_MISMATCH",
                                                    "EXPECTED_FIELD_MISSING",
                                                    "EXPIRED_VALUE",
                                                    "ID_ALREADY_CONVERTED",
                                                    "INVALID_DATA",
                                                    "INVALID_MODULE",
                                                    "LIMIT_EXCEEDED",
                                                    "LIMIT_REACHED",
                                                    "MANDATORY_NOT_FOUND",
                                                    "MAPPING_MISMATCH",
                                                    "MULTIPLE_OR_MULTI_ERRORS",
                                                    "NOT_ALLOWED",
                                                    "NOT_APPROVED",
                                                    "NOT_REVIEWED",
                                                    "NOT_SUBSCRIBED",
                                                    "NOT_SUPPORTED",
                                                    "PATTERN_NOT_MATCHED",
                                                    "RECORD_LOCKED",
                                                    "RESOURCE_NOT_FOUND",
                                                    "UNABLE_TO_PARSE_DATA_TYPE"};

bool one_of(const std::string &code, std::initializer_list<std::string_view> codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

// Whether the record or its values are what is wrong, rather than the request, the edition or a
// quota.
bool speaks_of_values(const std::string &code) {
  return one_of(
      code, {"CANNOT_PERFORM_ACTION", "DEPENDENT_FIELD_MISSING", "DEPENDENT_MISMATCH",
             "DUPLICATE_DATA", "EXPECTED_FIELD_MISSING", "INVALID_DATA", "MANDATORY_NOT_FOUND",
             "MAPPING_MISMATCH", "MULTIPLE_OR_MULTI_ERRORS", "NOT_ALLOWED", "NOT_APPROVED",
             "NOT_REVIEWED", "PATTERN_NOT_MATCHED", "RECORD_LOCKED", "UNABLE_TO_PARSE_DATA_TYPE"});
}

void name_fields(const Json &element, std::vector<std::string> &named) {
  const auto add = [&](const std::string &name) {
    if (!name.empty() && std::find(named.begin(), named.end(), name) == named.end())
      named.push_back(name);
  };
  add(scalar_text(element, "details.api_name"));
  add(scalar_text(element, "details.dependee.api_name"));
  if (const Json *errors = find(element, "details.errors");
      errors != nullptr && errors->is_array()) {
    for (const auto &error : *errors) name_fields(error, named);
  }
  if (const Json *fields = find(element, "details.expected_fields");
      fields != nullptr && fields->is_array()) {
    for (const auto &field : *fields) add(scalar_text(field, "api_name"));
  }
}

// A final word about the values of an update: the fields that it names.
std::optional<std::vector<std::string>> refused_fields(const Json &element, Operation operation) {
  if (operation != Operation::update || !speaks_of_values(scalar_text(element, "code")))
    return std::nullopt;
  std::vector<std::string> named;
  name_fields(element, named);
  return named;
}

// The elements of an answer that speaks of each record, nullptr of one that does not.
const Json *elements_of(const Json &body) {
  const Json *data = find(body, "data");
  return data != nullptr && data->is_array() ? data : nullptr;
}

}  // namespace

Settled settle(const Change &change, Verdict verdict) {
  Settled settled;
  settled.module = change.module;
  settled.record_id = change.record_id;
  // A confirmed deletion names no record that the service has.
  if (change.operation != Operation::remove) settled.external_id = change.external_id;
  settled.verdict = std::move(verdict);
  return settled;
}

Verdict judge_element(const Json &element, Operation operation) {
  const std::string code = scalar_text(element, "code");
  if (code == "SUCCESS") return {};
  const std::string words = words_of(element);
  if (code.empty()) return {Outcome::in_doubt, "unreadable_answer", words, {}};
  if (code == "INVALID_DATA" && operation == Operation::remove)
    return {};  // "record not deleted": it is not there
  if (code == "INVALID_DATA" && operation == Operation::update && speaks_of_the_id(element)) {
    return {Outcome::gone, "not_found", words, {}};
  }
  if (code == "DUPLICATE_DATA")
    return {Outcome::park, "duplicate", words, {}, refused_fields(element, operation)};
  if (code == "ALREADY_MODIFIED") return {Outcome::retry, "already_modified", words, {}};
  if (code == "TOO_MANY_REQUESTS") return {Outcome::retry, "rate_limited", words, {}};
  if (one_of(code, {"INVALID_TOKEN", "AUTHENTICATION_FAILURE"}))
    return {Outcome::retry, "unauthorized", words, {}};
  if (one_of(code, {"INTERNAL_ERROR", "INTERNAL_SERVER_ERROR", "DEPENDENT_SERVICE_ERROR"})) {
    return {Outcome::in_doubt, "service_error", words, {}};
  }
  if (one_of(code, {"NO_PERMISSION", "AUTHORIZATION_FAILED", "OAUTH_SCOPE_MISMATCH"})) {
    return {Outcome::park, "forbidden", words, {}};
  }
  return {Outcome::park, "refused", words, {}, refused_fields(element, operation)};
}

std::string created_before(const Json &element, const std::string &bridge_field) {
  if (bridge_field.empty() || scalar_text(element, "code") != "DUPLICATE_DATA") return {};
  if (scalar_text(element, "details.api_name") != bridge_field) return {};
  const std::string id = scalar_text(element, "details.id");
  return id.empty() ? scalar_text(element, "details.duplicate_record.id") : id;
}

std::vector<Settled> read_results(const std::vector<Change> &changes, const HttpResult &result,
                                  const std::string &bridge_field,
                                  std::vector<std::string> &duplicates) {
  std::vector<Settled> settled;
  duplicates.assign(changes.size(), {});
  const auto all = [&](const Verdict &verdict) {
    for (const auto &change : changes) settled.push_back(settle(change, verdict));
    return settled;
  };
  const Verdict whole = judge(result);
  if (result.transport != Transport::answered) return all(whole);
  const bool speaks_of_records = result.ok() || result.status == 400 || result.status == 412;
  Json body;
  try {
    body = result.body.empty() ? Json() : parse_json(result.body);
  } catch (const MalformedJson &) {
    // An HTML page with 400 comes from something in front of the service, which did nothing.
    return all(result.ok()
                   ? Verdict{Outcome::in_doubt, "unreadable_answer", "the answer is not JSON", {}}
                   : whole);
  }
  const Json *elements = speaks_of_records ? elements_of(body) : nullptr;
  if (elements == nullptr) {
    const Operation operation = changes.front().operation;
    if (result.ok())
      return all({Outcome::in_doubt, "unreadable_answer", "the answer speaks of no record", {}});
    if (scalar_text(body, "code").empty() || result.status >= 500 || result.status == 429)
      return all(whole);
    Verdict verdict = judge_element(body, operation);
    // A fault of the whole request says nothing about single records.
    if (verdict.outcome == Outcome::done || verdict.outcome == Outcome::gone) verdict = whole;
    verdict.refused_fields.reset();
    return all(verdict);
  }
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change &change = changes[i];
    if (elements->size() != changes.size()) {
      settled.push_back(
          settle(change, {Outcome::in_doubt,
                          "misaligned_answer",
                          "the answer has " + std::to_string(elements->size()) + " results for " +
                              std::to_string(changes.size()) + " records",
                          {}}));
      continue;
    }
    const Json &element = (*elements)[i];
    const std::string id = scalar_text(element, "details.id");
    Verdict verdict = judge_element(element, change.operation);
    // In a good answer a word that nobody knows may mean that the record was taken all the same.
    if (result.ok() && verdict.reason == "refused" &&
        std::find(refusals.begin(), refusals.end(), scalar_text(element, "code")) == refusals.end())
      verdict.outcome = Outcome::in_doubt;
    duplicates[i] = created_before(element, bridge_field);
    if (verdict.outcome == Outcome::done && change.operation != Operation::create && !id.empty() &&
        id != change.external_id) {
      verdict = {Outcome::in_doubt, "misaligned_answer", "the answer speaks of another record", {}};
    }
    if (verdict.outcome == Outcome::done && change.operation == Operation::create && id.empty()) {
      verdict = {Outcome::in_doubt, "unreadable_answer", "the answer has no id", {}};
    }
    Settled one = settle(change, std::move(verdict));
    if (one.verdict.outcome == Outcome::done) {
      if (!id.empty() && change.operation != Operation::remove) one.external_id = id;
      one.version = instant_in_utc(scalar_text(element, "details.Modified_Time"));
    }
    one.read_again = one.verdict.reason == "already_modified";
    settled.push_back(std::move(one));
  }
  return settled;
}

}  // namespace crm_bridge::worker::zoho_crm
