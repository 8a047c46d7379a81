// SPDX-License-Identifier: PostgreSQL
// Lists, single records, what was deleted, related lists.
#include "service.hpp"

#include <algorithm>
#include <charconv>
#include <set>

namespace crm_bridge::sandbox::crm {
namespace {

constexpr std::size_t discrete_limit = 2'000;  // without a page token
constexpr std::size_t token_limit = 100'000;   // with one
constexpr std::int64_t token_life = 86'400;

std::optional<std::size_t> number_of(const Call &call, const std::string &name,
                                     std::size_t fallback) {
  if (!call.has(name)) return fallback;
  const std::string text = call.parameter(name);
  std::size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size() || number == 0)
    return std::nullopt;
  return number;
}

Answer bad_parameter(const std::string &name) {
  return refuse(400, "PATTERN_NOT_MATCHED", {{"param_name", name}},
                "Please check whether the input values are correct");
}

// A page token belongs to all the other parameters.
std::string fingerprint_of(const Call &call) {
  std::string text = call.url + "|" + call.header("if-modified-since");
  for (const auto &[name, value] : call.query) {
    if (name != "page_token" && name != "page") text += "|" + name + "=" + value;
  }
  return text;
}

}  // namespace

Answer Service::listing(std::vector<Json> data, Json info, const std::string &since) {
  if (data.empty()) return Answer::nothing(since.empty() ? 204 : 304);
  info["count"] = data.size();
  Answer answer;
  answer.body = {{"data", std::move(data)}, {"info", std::move(info)}};
  return answer;
}

Answer Service::list(const Call &call, Module &module, const Filter &filter) {
  const auto fields = split_list(call.parameter("fields"));
  if (fields.empty()) {
    return refuse(400, "REQUIRED_PARAM_MISSING", {{"param_name", "fields"}},
                  "One of the expected parameter is missing");
  }
  if (fields.size() > 50) {
    return refuse(400, "LIMIT_EXCEEDED", {{"limit", 50}, {"param_name", "fields"}},
                  "count of fields in your request exceeds the limit");
  }
  const auto per_page = number_of(call, "per_page", 200);
  if (!per_page || *per_page > 200) return bad_parameter("per_page");
  auto page = number_of(call, "page", 1);
  if (!page) return bad_parameter("page");
  const std::string sort_by = call.has("sort_by") ? call.parameter("sort_by") : "id";
  if (sort_by != "id" && sort_by != "Created_Time" && sort_by != "Modified_Time")
    return bad_parameter("sort_by");
  const std::string sort_order = call.has("sort_order") ? call.parameter("sort_order") : "desc";
  if (sort_order != "asc" && sort_order != "desc") return bad_parameter("sort_order");
  const bool descending = sort_order == "desc";

  // Notes are not listed since an instant.
  const std::string since_header = module.api_name == "Notes" || !dialect_.lists_since
                                       ? std::string{}
                                       : call.header("if-modified-since");
  std::optional<std::int64_t> since;
  if (!since_header.empty()) {
    const auto instant = parse_instant(since_header);
    if (!instant) return bad_parameter("If-Modified-Since");
    since = *instant / 1000;
  }

  std::optional<std::pair<std::int64_t, std::int64_t>> after;
  if (call.has("page_token")) {
    if (call.has("page")) {
      Json both = Json::array();
      for (const char *name : {"page", "page_token"})
        both.push_back({{"api_name", name}, {"json_path", name}});
      return refuse(400, "AMBIGUITY_DURING_PROCESSING", {{"ambiguity_due_to", both}},
                    "page and page_token cannot be given together");
    }
    const auto token = page_tokens_.find(call.parameter("page_token"));
    if (token == page_tokens_.end() || token->second.expires_at <= clock_.seconds()) {
      return refuse(400, "EXPIRED_VALUE", {{"param_name", "page_token"}},
                    "The token given is expired");
    }
    if (token->second.fingerprint != fingerprint_of(call)) {
      return refuse(400, "TOKEN_BOUND_DATA_MISMATCH", {{"param_name", "page_token"}},
                    "The token given does not belong to these parameters");
    }
    after = {token->second.sort_key, token->second.id};
    page = token->second.page;
    if (*page * *per_page > token_limit) {
      return refuse(400, "PAGINATION_LIMIT_EXCEEDED", Json::object(),
                    "You can only get the first 100000 records");
    }
  } else if (*page * *per_page > discrete_limit) {
    return refuse(400, "DISCRETE_PAGINATION_LIMIT_EXCEEDED", {{"limit", discrete_limit}},
                  "You can only get the first 2000 records without using page_token param");
  }

  std::set<std::int64_t> ids;
  for (const auto &id : split_list(call.parameter("ids"))) {
    const Record *wanted = records_.find(module.api_name, id);
    ids.insert(wanted == nullptr ? 0 : wanted->id);
  }
  const std::string converted = call.has("converted") ? call.parameter("converted") : "false";
  std::size_t skip = after ? 0 : (*page - 1) * *per_page;
  std::vector<const Record *> found;
  bool more = false;
  // Takes one record in order; false ends the walk.
  const auto take = [&](const Record &current) {
    const Record &record = seen(call, current);
    if (since && record.modified < *since) return true;
    if (!ids.empty() && ids.count(record.id) == 0) return true;
    if (module.api_name == "Leads" && converted != "both" &&
        (record.values.value("Converted__s", false) ? "true" : "false") != converted) {
      return true;
    }
    if (filter && !filter(record)) return true;
    if (skip > 0) {
      --skip;
      return true;
    }
    more = found.size() == *per_page;
    if (!more) found.push_back(&record);
    return !more;
  };
  const Shelf &shelf = records_.shelf(module.api_name);
  if (sort_by == "Modified_Time") {
    const auto &order = shelf.by_modified;
    const auto visit = [&](const std::pair<std::int64_t, std::int64_t> &key) {
      return take(shelf.records.at(key.second));
    };
    if (descending) {
      auto entry = after ? std::make_reverse_iterator(order.lower_bound(*after)) : order.rbegin();
      while (entry != order.rend() && visit(*entry)) ++entry;
    } else {
      auto entry = after   ? order.upper_bound(*after)
                   : since ? order.lower_bound({*since, 0})
                           : order.begin();
      while (entry != order.end() && visit(*entry)) ++entry;
    }
  } else if (descending) {  // ids are given in the order of creation
    auto entry = after ? std::make_reverse_iterator(shelf.records.lower_bound(after->second))
                       : shelf.records.rbegin();
    while (entry != shelf.records.rend() && take(entry->second)) ++entry;
  } else {
    auto entry = after ? shelf.records.upper_bound(after->second) : shelf.records.begin();
    while (entry != shelf.records.end() && take(entry->second)) ++entry;
  }

  std::vector<Json> data;
  for (const Record *record : found) data.push_back(records_.render(module, *record, fields));
  Json info = {{"call", false},
               {"email", false},
               {"per_page", *per_page},
               {"page", *page},
               {"sort_by", sort_by},
               {"sort_order", sort_order},
               {"more_records", more},
               {"next_page_token", nullptr},
               {"previous_page_token", nullptr},
               {"page_token_expiry", nullptr}};
  if (more) {
    if (page_tokens_.size() > 10'000) page_tokens_.clear();  // no client keeps that many
    const std::string name =
        std::to_string(++last_page_token_) + "c1f0e2d3" + std::to_string(clock_.milliseconds());
    const Record &last = shelf.records.at(found.back()->id);
    page_tokens_[name] = {fingerprint_of(call), last.modified, last.id, *page + 1,
                          clock_.seconds() + token_life};
    info["next_page_token"] = name;
    info["page_token_expiry"] = records_.time(clock_.seconds() + token_life);
  }
  return listing(std::move(data), std::move(info), since_header);
}

Answer Service::get(const Call &call, Module &module, const std::string &id) {
  const Record *current = records_.find(module.api_name, id);
  if (current == nullptr) return Answer::nothing(204);
  const Record &record = seen(call, *current);
  if (const auto since = parse_instant(call.header("if-modified-since"));
      since && record.modified < *since / 1000) {
    return Answer::nothing(304);
  }
  Answer answer;
  answer.body = {{"data", Json::array({records_.render(module, record,
                                                       split_list(call.parameter("fields")))})}};
  return answer;
}

Answer Service::deleted(const Call &call, Module &module) {
  const auto per_page = number_of(call, "per_page", 200);
  const auto page = number_of(call, "page", 1);
  if (!per_page || *per_page > 200) return bad_parameter("per_page");
  if (!page) return bad_parameter("page");
  const std::string type = call.has("type") ? call.parameter("type") : "all";
  const std::string since_header = call.header("if-modified-since");
  const auto since = parse_instant(since_header);
  std::size_t skip = (*page - 1) * *per_page;
  bool more = false;
  std::vector<Json> data;
  const auto &entries = records_.shelf(module.api_name).deleted;
  const auto reference = [&](const std::string &user_id) {
    const User *user = people_.by_id(user_id);
    return user != nullptr ? user->reference() : Json();
  };
  for (auto entry = entries.rbegin(); entry != entries.rend() && !more; ++entry) {
    const std::int64_t kept_for = entry->permanent ? 120 * 86'400 : 60 * 86'400;
    if (entry->at < clock_.seconds() - kept_for) continue;
    if ((type == "recycle" && entry->permanent) || (type == "permanent" && !entry->permanent))
      continue;
    if (since && entry->at < *since / 1000) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (data.size() == *per_page) {
      more = true;
      break;
    }
    data.push_back({{"id", std::to_string(entry->id)},
                    {"display_name", entry->permanent ? Json() : Json(entry->display_name)},
                    {"type", entry->permanent ? "permanent" : "recycle"},
                    {"deleted_by", entry->permanent ? Json() : reference(entry->deleted_by)},
                    {"created_by", entry->permanent ? Json() : reference(entry->created_by)},
                    {"deleted_time", records_.time(entry->at)}});
  }
  return listing(std::move(data),
                 {{"per_page", *per_page}, {"page", *page}, {"more_records", more}}, since_header);
}

Answer Service::related(const Call &call, Module &module, const Record &parent,
                        const std::string &name) {
  for (const auto &related : metadata_.related_lists()) {
    if (related.module != module.api_name || related.api_name != name) continue;
    Module &child = *metadata_.find(related.child_module);
    return list(call, child,
                [this, &related, &child, &module,
                 parent_id = std::to_string(parent.id)](const Record &record) {
                  const bool any_module = child.find(related.child_field)->lookup_module == "*";
                  return record.values.value(related.child_field, "") == parent_id &&
                         (!any_module || record.what_module == module.api_name);
                });
  }
  return refuse(400, "INVALID_DATA", {{"resource_path_index", 2}},
                "the related list name given seems to be invalid");
}

}  // namespace crm_bridge::sandbox::crm
