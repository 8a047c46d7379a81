// SPDX-License-Identifier: PostgreSQL
// The conversions "picklist" and "flag": words that mean the same on both sides.
#include <algorithm>
#include <functional>

#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

using Words = std::map<std::string, std::string, std::less<>>;

// The empty word stands for "no value", here and in a mapping's parameters.
Value word_as_value(const std::string &word) {
  if (word.empty()) return {};
  return word;
}

const std::string &value_as_word(const Value &value, const Field &field) {
  static const std::string &empty = *new std::string;
  if (is_null(value)) return empty;
  return stored_as<std::string>(value, field);
}

// One side's value map.  A side without any entry uses its own words as the canonical ones.
class WordsLens final : public KeepingLens {
 public:
  // `to_canonical` by stored word, `preferred` by canonical word.
  WordsLens(Field field, Words to_canonical, Words preferred)
      : field_(std::move(field)),
        to_canonical_(std::move(to_canonical)),
        to_stored_(std::move(preferred)) {
    if (to_canonical_.empty()) return;
    // Empty means empty unless the map says otherwise.  It is the first in order of name too.
    to_canonical_.try_emplace("", "");
    for (const auto &[stored, canonical] : to_canonical_) to_stored_.try_emplace(canonical, stored);
  }

  Value get(const Value &stored) const override {
    const std::string &word = value_as_word(stored, field_);
    if (to_canonical_.empty()) return word_as_value(word);
    const auto found = to_canonical_.find(word);
    if (found == to_canonical_.end()) throw_not_in_picklist(field_);
    return word_as_value(found->second);
  }

 protected:
  Value make(const Value &canonical, const Value &) const override {
    const std::string &word = value_as_word(canonical, field_);
    if (to_canonical_.empty()) return checked(word);
    const auto found = to_stored_.find(word);
    if (found == to_stored_.end()) throw_not_in_picklist(field_);
    return checked(found->second);
  }

 private:
  Value checked(const std::string &word) const {
    if (!word.empty()) check_text(word, field_);
    return word_as_value(word);
  }

  Field field_;
  Words to_canonical_;
  Words to_stored_;
};

struct SideMap {
  Words to_canonical;
  Words preferred;
};

void check_side(const ConversionRequest &request, const Field &field, const SideMap &map,
                const std::string &side) {
  for (const auto &[stored, canonical] : map.to_canonical) {
    if (stored.empty() || is_choice(stored, field)) continue;
    refuse_parameter(
        request, "maps a value that \"" + label(field) + "\" does not offer: \"" + stored + "\"",
        "Take one of the field's choices, or refresh the catalog of fields.");
  }
  for (const auto &[canonical, stored] : map.preferred) {
    const auto found = map.to_canonical.find(stored);
    if (found != map.to_canonical.end() && found->second == canonical) continue;
    refuse_parameter(request,
                     "prefers \"" + stored + "\" for \"" + canonical + "\" without mapping it so",
                     "Add the parameter \"" + side + ":" + stored + "\" = \"" + canonical + "\".");
  }
}

class FlagLens final : public KeepingLens {
 public:
  FlagLens(Field field, std::string true_choice, std::string false_choice,
           std::vector<std::string> true_values)
      : field_(std::move(field)),
        true_choice_(std::move(true_choice)),
        false_choice_(std::move(false_choice)),
        true_values_(std::move(true_values)) {}

  Value get(const Value &stored) const override {
    if (is_empty_text(stored)) return {};
    const auto &choice = stored_as<std::string>(stored, field_);
    return choice == true_choice_ ||
           std::find(true_values_.begin(), true_values_.end(), choice) != true_values_.end();
  }

 protected:
  Value make(const Value &canonical, const Value &) const override {
    if (is_null(canonical)) return {};
    return stored_as<bool>(canonical, field_) ? true_choice_ : false_choice_;
  }

 private:
  Field field_;
  std::string true_choice_;
  std::string false_choice_;
  std::vector<std::string> true_values_;
};

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

Conversion make_picklist(const ConversionRequest &request) {
  if (!holds_choice(request.left.type) || !holds_choice(request.right.type)) {
    refuse_types("picklist", request, "It joins fields of the types picklist and text.");
  }
  SideMap left;
  SideMap right;
  const std::string hint =
      "Parameters are \"left:<value>\" = \"<canonical>\", \"right:<value>\" = \"<canonical>\", "
      "\"left><canonical>\" = \"<value>\" and \"right><canonical>\" = \"<value>\".";
  for (const auto &[name, value] : request.parameters) {
    const std::string_view key = name;
    const bool of_left = key.starts_with("left:") || key.starts_with("left>");
    if (!of_left && !key.starts_with("right:") && !key.starts_with("right>")) {
      refuse_parameter(request, "does not know the parameter \"" + name + "\"", hint);
    }
    SideMap &side = of_left ? left : right;
    const std::size_t mark = of_left ? 4 : 5;
    Words &words = key[mark] == ':' ? side.to_canonical : side.preferred;
    words.emplace(key.substr(mark + 1), value);
  }
  if (left.to_canonical.empty() && right.to_canonical.empty()) {
    refuse_parameter(request, "has no value map", hint);
  }
  check_side(request, request.left, left, "left");
  check_side(request, request.right, right, "right");
  return {"picklist",
          std::make_shared<WordsLens>(request.left, std::move(left.to_canonical),
                                      std::move(left.preferred)),
          std::make_shared<WordsLens>(request.right, std::move(right.to_canonical),
                                      std::move(right.preferred))};
}

Conversion make_flag(const ConversionRequest &request) {
  const bool left_is_flag = request.left.type == FieldType::boolean;
  const Field &choices = left_is_flag ? request.right : request.left;
  const Field &flag = left_is_flag ? request.left : request.right;
  if (flag.type != FieldType::boolean || !holds_choice(choices.type)) {
    refuse_types("flag", request, "It joins a boolean to a picklist or text.");
  }
  allow_parameters(request, {"true", "false", "true_values"});
  const auto parameter = [&](const char *name) {
    const auto found = request.parameters.find(name);
    return found == request.parameters.end() ? std::string() : found->second;
  };
  const std::string true_choice = parameter("true");
  const std::string false_choice = parameter("false");
  if (true_choice.empty() || false_choice.empty()) {
    refuse_parameter(request, "needs the parameters \"true\" and \"false\"",
                     "Name the choice of \"" + label(choices) + "\" to put for each.");
  }
  const std::vector<std::string> true_values = split(parameter("true_values"), '|');
  const bool false_is_true =
      std::find(true_values.begin(), true_values.end(), false_choice) != true_values.end();
  if (true_choice == false_choice || false_is_true) {
    refuse_parameter(request, "takes \"" + false_choice + "\" for both true and false",
                     "Name different choices.");
  }
  for (const std::string &choice : {true_choice, false_choice}) {
    if (is_choice(choice, choices)) continue;
    refuse_parameter(
        request, "names a value that \"" + label(choices) + "\" does not offer: \"" + choice + "\"",
        "Take one of the field's choices, or refresh the catalog of fields.");
  }
  auto flag_lens = std::make_shared<const ExactLens<bool>>(flag);
  auto choice_lens =
      std::make_shared<const FlagLens>(choices, true_choice, false_choice, true_values);
  if (left_is_flag) return {"flag", std::move(flag_lens), std::move(choice_lens)};
  return {"flag", std::move(choice_lens), std::move(flag_lens)};
}

}  // namespace crm_bridge::core
