// SPDX-License-Identifier: PostgreSQL
#include "json.hpp"

#include <cstdint>
#include <vector>

namespace crm_bridge::worker {
namespace {

constexpr std::size_t maximum_depth = 64;

// Builds the document and keeps the text of decimals.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Json take() { return std::move(root_); }
  const std::string &error() const { return error_; }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t, const string_t &text) override { return add(decimal(text)); }
  bool string(string_t &value) override {
    drop_nul(value);
    return add(std::move(value));
  }
  bool binary(binary_t &) override { return false; }
  bool key(string_t &value) override {
    drop_nul(value);
    keys_.back() = std::move(value);
    return true;
  }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string &,
                   const nlohmann::detail::exception &fault) override {
    error_ = fault.what();
    return false;
  }

 private:
  static void drop_nul(std::string &text) { std::erase(text, '\0'); }

  Json *place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json &parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    Json &slot = parent[keys_.back()];
    slot = std::move(value);
    return &slot;
  }
  bool add(Json value) {
    place(std::move(value));
    return true;
  }
  bool open(Json value) {
    if (stack_.size() == maximum_depth) {
      error_ = "nested deeper than 64 levels";
      return false;
    }
    stack_.push_back(place(std::move(value)));
    keys_.emplace_back();
    return true;
  }
  bool close() {
    stack_.pop_back();
    keys_.pop_back();
    return true;
  }

  Json root_;
  // Pointers into the tree stay valid: a container grows only while it is the innermost open one.
  std::vector<Json *> stack_;
  std::vector<std::string> keys_;
  std::string error_;
};

int hexadecimal_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int value = 0;
  for (std::size_t i = at + 2; i < at + 6; ++i) {
    const char c = text[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else if (c >= 'A' && c <= 'F') {
      digit = c - 'A' + 10;
    } else {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

std::string without_lone_surrogates(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '\\') {
      result += text[at++];
      continue;
    }
    const int unit = hexadecimal_unit(text, at);
    if (unit < 0xD800 || unit > 0xDFFF) {
      result += text.substr(at, 2);
      at += 2;
      continue;
    }
    const int next = hexadecimal_unit(text, at + 6);
    if (unit < 0xDC00 && next >= 0xDC00 && next <= 0xDFFF) {
      result += text.substr(at, 12);
      at += 12;
    } else {
      result += "\\ufffd";
      at += 6;
    }
  }
  return result;
}

void write(const Json &json, std::string &out) {
  switch (json.type()) {
    case Json::value_t::object: {
      out += '{';
      bool first = true;
      for (const auto &[name, value] : json.items()) {
        if (!first) out += ',';
        first = false;
        out += Json(name).dump(-1, ' ', false, Json::error_handler_t::replace);
        out += ':';
        write(value, out);
      }
      out += '}';
      break;
    }
    case Json::value_t::array: {
      out += '[';
      bool first = true;
      for (const auto &value : json) {
        if (!first) out += ',';
        first = false;
        write(value, out);
      }
      out += ']';
      break;
    }
    case Json::value_t::binary: {
      const auto &bytes = json.get_binary();
      out.append(bytes.begin(), bytes.end());
      break;
    }
    default:
      out += json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
}

}  // namespace

Json parse_json(std::string_view text) {
  Builder builder;
  if (Json::sax_parse(text.begin(), text.end(), &builder)) return builder.take();
  if (text.find("\\u") != std::string_view::npos) {
    const std::string repaired = without_lone_surrogates(text);
    Builder second;
    if (repaired != text && Json::sax_parse(repaired, &second)) return second.take();
  }
  throw MalformedJson(builder.error());
}

std::string to_text(const Json &json) {
  std::string out;
  write(json, out);
  return out;
}

Json decimal(std::string_view digits) {
  return Json::binary(std::vector<std::uint8_t>(digits.begin(), digits.end()));
}

const Json *find(const Json &json, std::string_view path) {
  const Json *here = &json;
  while (true) {
    const std::size_t dot = path.find('.');
    if (!here->is_object()) return nullptr;
    const auto found = here->find(std::string(path.substr(0, dot)));
    if (found == here->end()) return nullptr;
    here = &*found;
    if (dot == std::string_view::npos) return here;
    path.remove_prefix(dot + 1);
  }
}

std::string scalar_text(const Json *json) {
  if (json == nullptr) return {};
  switch (json->type()) {
    case Json::value_t::string:
      return json->get<std::string>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::boolean:
    case Json::value_t::binary:
      return to_text(*json);
    default:
      return {};
  }
}

std::string scalar_text(const Json &json, std::string_view path) {
  return scalar_text(find(json, path));
}

bool truthy(const Json *json) {
  const std::string text = scalar_text(json);
  return text == "true" || text == "yes" ||
         (!text.empty() && text.find_first_not_of("0123456789") == std::string::npos &&
          text.find_first_not_of('0') != std::string::npos);
}

}  // namespace crm_bridge::worker
