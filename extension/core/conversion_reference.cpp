// SPDX-License-Identifier: PostgreSQL
// The conversions "user_email" and "linked": the same person, the same thing, under two ids.
#include <algorithm>

#include "core/lens.hpp"

namespace crm_bridge::core {

namespace {

// Where a mapping is only being checked there is nobody to ask: then nobody is known.
std::optional<std::string> email_of(Resolver *resolver, const Field &field, const Uuid &user) {
  return resolver != nullptr ? resolver->email_of(field.reference_module, user) : std::nullopt;
}

// One user, or the first of several, as an e-mail address.
class UserLens final : public KeepingLens {
 public:
  UserLens(Field field, Resolver *resolver) : field_(std::move(field)), resolver_(resolver) {}

  Value get(const Value &stored) const override {
    if (is_null(stored)) return {};
    if (field_.type == FieldType::reference) return address(stored_as<Uuid>(stored, field_));
    const auto &users = stored_as<std::vector<Uuid>>(stored, field_);
    if (users.empty()) return {};
    return address(users.front());
  }

 protected:
  Value make(const Value &canonical, const Value &old) const override {
    if (is_null(canonical)) return {};
    const auto &email = stored_as<std::string>(canonical, field_);
    const auto user = resolver_ != nullptr
                          ? resolver_->user_with_email(field_.reference_module, email)
                          : std::nullopt;
    if (!user) {
      throw Unmappable{"user_unknown", "No active user of \"" + field_.reference_module +
                                           "\" has the e-mail address of this one."};
    }
    if (field_.type == FieldType::reference) return *user;
    std::vector<Uuid> users{*user};
    if (const auto *others = std::get_if<std::vector<Uuid>>(&old);
        others != nullptr && !others->empty()) {
      std::copy_if(others->begin() + 1, others->end(), std::back_inserter(users),
                   [&](const Uuid &other) { return other != *user; });
    }
    return users;
  }

 private:
  std::string address(const Uuid &user) const {
    auto email = email_of(resolver_, field_, user);
    if (!email || email->empty()) {
      throw Unmappable{"user_unknown",
                       "The user in \"" + label(field_) + "\" has no known e-mail address."};
    }
    return std::move(*email);
  }

  Field field_;
  Resolver *resolver_;
};

// The right side of a link, seen as the left record's id.
class LinkedLens final : public KeepingLens {
 public:
  LinkedLens(Field field, std::string pairing, Resolver *resolver)
      : field_(std::move(field)), pairing_(std::move(pairing)), resolver_(resolver) {}

  Value get(const Value &stored) const override { return across(Side::right, stored); }

 protected:
  Value make(const Value &canonical, const Value &) const override {
    return across(Side::left, canonical);
  }

 private:
  Value across(Side side, const Value &record) const {
    if (is_null(record)) return {};
    const Uuid &id = stored_as<Uuid>(record, field_);
    const auto twin = resolver_ != nullptr ? resolver_->linked(pairing_, side, id) : std::nullopt;
    if (!twin) {
      throw Unmappable{"not_linked", "The record for \"" + label(field_) +
                                         "\" has no active link of the pairing \"" + pairing_ +
                                         "\"."};
    }
    return *twin;
  }

  Field field_;
  std::string pairing_;
  Resolver *resolver_;
};

}  // namespace

Conversion make_user_email(const ConversionRequest &request, Resolver *resolver) {
  if (!is_reference(request.left.type) || !is_reference(request.right.type)) {
    refuse_types("user_email", request,
                 "It joins fields of the types reference and references that refer to users.");
  }
  allow_parameters(request, {});
  return {"user_email", std::make_shared<UserLens>(request.left, resolver),
          std::make_shared<UserLens>(request.right, resolver)};
}

Conversion make_linked(const ConversionRequest &request, Resolver *resolver) {
  if (request.left.type != FieldType::reference || request.right.type != FieldType::reference) {
    refuse_types("linked", request, "It joins two fields of the type reference.");
  }
  allow_parameters(request, {"pairing"});
  const auto pairing = request.parameters.find("pairing");
  if (pairing == request.parameters.end() || pairing->second.empty()) {
    refuse_parameter(request, "needs the parameter \"pairing\"",
                     "Name the pairing that links \"" + request.left.reference_module + "\" to \"" +
                         request.right.reference_module + "\".");
  }
  return {"linked", std::make_shared<ExactLens<Uuid>>(request.left),
          std::make_shared<LinkedLens>(request.right, pairing->second, resolver)};
}

}  // namespace crm_bridge::core
