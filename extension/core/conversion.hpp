// SPDX-License-Identifier: PostgreSQL
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/time_zone.hpp"
#include "core/value.hpp"

namespace crm_bridge::core {

enum class Side : std::uint8_t { left, right };

// One field of a module, as the catalog (`service_field`) has it.
struct Field {
  std::string module;  // crm_deal
  std::string name;    // deal_name, or the API name of a custom field
  FieldType type = FieldType::text;
  int maximum_length = 0;               // characters; 0 = no limit
  std::vector<std::string> picklist{};  // known choices; empty = not known, anything goes
  std::string reference_module{};       // of reference and references
};

// What a lens must ask the database.  Implemented over SPI in the backend and by a map in the unit
// tests.
class Resolver {
 public:
  virtual ~Resolver() = default;
  // The e-mail address of a user record of `module`, lower case; nullopt if there is no such user.
  virtual std::optional<std::string> email_of(const std::string &module, const Uuid &user) = 0;
  // The active user of `module` with that address; nullopt if there is none.
  virtual std::optional<Uuid> user_with_email(const std::string &module,
                                              const std::string &email) = 0;
  // The record at the other end of `record`'s active link of `pairing`; `side` is where `record`
  // stands.
  virtual std::optional<Uuid> linked(const std::string &pairing, Side side, const Uuid &record) = 0;
};

// Why a value cannot be carried over; `reason` is a reason code of D12 or a refusal's kind.
struct Unmappable {
  std::string reason;  // value_not_in_picklist, text_too_long, user_unknown, not_linked,
                       // not_representable, field_read_only
  std::string detail;  // a sentence, without the value itself (the reader of an error may not be
                       // allowed to see it)
};

// One face's way to and from the canonical value (design §6):
//   put(get(v), v) == v          what only this side can express is not worn away
//   get(put(c, v)) == c          what was put is what the other side will see
// get and put are deterministic and total: they give a value or throw Unmappable, nothing else
// (bad_alloc aside).
class Lens {
 public:
  virtual ~Lens() = default;
  virtual Value get(const Value &stored) const = 0;
  virtual Value put(const Value &canonical, const Value &old) const = 0;
};

struct Conversion {
  std::string name;
  std::shared_ptr<const Lens> left;
  std::shared_ptr<const Lens> right;
};

// What a mapping row says, and where it stands.
struct ConversionRequest {
  std::string name{};                               // empty: the conversion that fits the two types
  std::map<std::string, std::string> parameters{};  // see below
  Field left;
  Field right;
  TimeZone left_zone{"UTC"};  // D18: the organization's zone; for Projects the portal's
  TimeZone right_zone{"UTC"};
};

// The conversions, by name:
//   copy           same type, or text ↔ picklist (picklist membership checked where the choices are
//   known) text           text, picklist and html among each other: canonical is plain text; html
//   keeps its markup while
//                  its plain text is unchanged.  maximum_length checked on put
//   comment        text ↔ html whose first line may name an author, [Zoho CRM: Mira Novak]: the
//   line is no part of the
//                  canonical text, and put keeps it.  parameters: author_line, the words with which
//                  it begins
//   number         number ↔ money ↔ number, and text that holds a number ↔ number
//   ("not_representable" otherwise) date_instant   date ↔ instant, instant ↔ instant of another
//   zone: canonical is the date in the instant's own zone;
//                  put keeps the old time of day.  parameters: time_of_day "HH:mm" for a value that
//                  had none (00:00)
//   picklist       value map: parameters "left:<value>" = "<canonical>" and "right:<value>" =
//   "<canonical>", empty
//                  value = null.  Several values of a side may share a canonical value: put keeps
//                  the old one if it fits, else takes the one marked by "left>" / "right>" +
//                  "<canonical>" = "<value>", else the first in order of name.  A value that the
//                  map does not know is Unmappable value_not_in_picklist A side without any entry
//                  uses its own values as the canonical ones
//   flag           boolean ↔ picklist: parameters "true" and "false" name the choice to put for
//   each; get is
//                  true for the choice "true" and those in "true_values" (separated by |), else
//                  false; put keeps the old choice if it fits
//   user_email     reference or references to users ↔ the same: canonical is the lower-case address
//   of the first one;
//                  put on a list replaces the first and keeps the others
//   linked         reference ↔ reference through an active link: parameter "pairing"; canonical is
//   the left record's id
// Empty is empty on both sides in every conversion unless a value map says otherwise.
//
// Throws Error 42804 (datatype_mismatch) that names both fields and types if the conversion does
// not fit, 22023 for an unknown name or a bad parameter, each with a hint.  `resolver` must outlive
// the conversion; it is asked only by user_email and linked.
Conversion make_conversion(const ConversionRequest &request, Resolver *resolver);

// All names that make_conversion knows.
std::vector<std::string> known_conversions();

// The way to a field that its service does not let anybody write any more: what is there stays, and
// put of anything else throws Unmappable field_read_only.
std::shared_ptr<const Lens> read_only_lens(std::shared_ptr<const Lens> lens, const Field &field);

// The name that make_conversion would choose for these two fields; throws Error 42804 if there is
// none.
std::string default_conversion(const Field &left, const Field &right);

}  // namespace crm_bridge::core
