// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <nlohmann/json.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace crm_bridge::worker {

// JSON in which a decimal number keeps its text: it is held as a `binary` value (which no JSON text
// can produce by itself), because money and ids do not survive a double.  Integers that fit 64 bits
// stay integers.
using Json = nlohmann::json;

class MalformedJson : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Reads what a service or the database sent.  At most 64 levels deep.  What jsonb cannot hold is
// taken out: U+0000 is dropped, a lone surrogate becomes U+FFFD, so that one odd record never
// blocks a page.  Throws MalformedJson.
Json parse_json(std::string_view text);

// The counterpart: decimals are written as they were read.
std::string to_text(const Json &json);

// A decimal with this text; `digits` must be a JSON number.
Json decimal(std::string_view digits);

// What stands at a dotted path ("tasks.open_count"); nullptr if any step is missing.
const Json *find(const Json &json, std::string_view path);

// A string as it is, a number as its digits, "true"/"false", "" for null, absent and everything
// else.  Ids arrive as strings or as numbers, whatever the contract says.
std::string scalar_text(const Json *json);
std::string scalar_text(const Json &json, std::string_view path);

// True for true, "true" and non-zero numbers: flags arrive in all these forms.
bool truthy(const Json *json);

}  // namespace crm_bridge::worker
