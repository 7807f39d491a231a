#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"

#include <concepts>
#include <string>
#include <string_view>

namespace leveret {

/// Every type that JSON can be made of, but text, has it as its body: `application/json`, read from all that
/// `is_json` says. A body that is not JSON, or not of the type, is a decode_error.
///
///     const quote hare{"HARE", 12.5};
///     co_await channel.publish("", "quotes", lv::encode(hare));
///     auto q = lv::decode<quote>(*delivery);
template <json_value T>
requires(!std::same_as<T, std::string>)
struct codec<T> {
    static constexpr std::string_view content_type = "application/json";
    [[nodiscard]] static payload encode(const T& value) { return payload(json_text(json_of(value))); }
    [[nodiscard]] static T decode(std::string_view body) { return from_json_text<T>(body); }
};

} // namespace leveret
