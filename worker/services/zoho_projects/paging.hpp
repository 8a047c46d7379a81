// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <string>

#include "services/session.hpp"

namespace crm_bridge::worker::zoho_projects {

constexpr int records_a_page = 100;

// A request for one page of a list.
ApiCall list_call(const std::string &path, int page);
// Which page a cursor stands at, from 1.
int page_number(const Json &cursor);
// The body of a good answer, null for an empty one; throws ServiceFailure.
Json body_of(const HttpResult &result);
// Whether a record of this version was certainly seen by a read that ended at `since`.  Lists tell
// the time of change to the millisecond; what became visible late is found by reading a little
// further.
bool older_than(const std::string &version, const std::string &since);
// A list read to its end.
struct Listed {
  Verdict verdict{};
  std::vector<Json> records{};
  bool complete = false;  // it was a list, to its end: what is not in it is not there
  int pages = 0;
};
// Ends early at an answer that is not good; a list that is too long is complete nowhere.
Task<Listed> list_all(Session &session, std::string path, std::string key);
// What is deleted takes along what lives in it.
void note_children(const std::string &module, const std::string &external_id,
                   std::vector<Listing> &listings);
// Closes a read that went from the newest to the oldest: the next one stops where this one began.
void finish_read(Json &cursor);

}  // namespace crm_bridge::worker::zoho_projects
