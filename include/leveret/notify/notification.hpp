#pragma once

#include "leveret/core/codec.hpp"
#include "leveret/core/message.hpp"
#include "leveret/json/convert.hpp"
#include "leveret/json/value.hpp"
#include "leveret/notify/priority.hpp"
#include "leveret/oslo/envelope.hpp"

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::notify {

/// Something that happened, as it is told to whom it concerns.
class notification {
public:
    notification() = default;

    [[nodiscard]] const std::string& publisher_id() const noexcept { return publisher_id_; }
    [[nodiscard]] const std::string& event_type() const noexcept { return event_type_; }
    /// Empty if it has one that is not known, or none.
    [[nodiscard]] std::optional<notify::priority> priority() const noexcept { return priority_; }
    [[nodiscard]] const json& payload() const noexcept { return payload_; }
    /// The payload as a value. Throws decode_error if it is none.
    template <json_value T>
    [[nodiscard]] T payload_as() const
    {
        return json_to<T>(payload_);
    }
    /// What the publisher said of whoever caused it: an object.
    [[nodiscard]] const json& context() const noexcept { return context_; }
    [[nodiscard]] const std::string& message_id() const noexcept { return message_id_; }
    /// In UTC, as `2026-11-20 14:15:46.727214`.
    [[nodiscard]] const std::string& timestamp() const noexcept { return timestamp_; }
    [[nodiscard]] const std::string& unique_id() const noexcept { return unique_id_; }

    notification& publisher_id(std::string_view v) { return publisher_id_ = v, *this; }
    notification& event_type(std::string_view v) { return event_type_ = v, *this; }
    notification& priority(notify::priority v) { return priority_ = v, *this; }
    notification& payload(json v) { return payload_ = std::move(v), *this; }
    notification& context(json v) { return context_ = std::move(v), *this; }
    notification& message_id(std::string v) { return message_id_ = std::move(v), *this; }
    notification& timestamp(std::string v) { return timestamp_ = std::move(v), *this; }
    notification& unique_id(std::string v) { return unique_id_ = std::move(v), *this; }

private:
    std::string publisher_id_, event_type_, message_id_, timestamp_, unique_id_;
    std::optional<notify::priority> priority_;
    json payload_;
    json context_ = json::object();
};

/// The message of oslo.messaging for it. Throws usage_error if a text is not UTF-8.
[[nodiscard]] inline message encode_notification(const notification& n)
{
    std::string capitals(name(n.priority().value_or(priority::info)));
    for (char& c : capitals)
        c = static_cast<char>(c - 0x20);
    json inner = {{"message_id", n.message_id()}, {"publisher_id", n.publisher_id()},
                  {"event_type", n.event_type()}, {"priority", capitals},
                  {"payload", n.payload()},       {"timestamp", n.timestamp()},
                  {"_unique_id", n.unique_id()}};
    oslo::put_context(inner, n.context());
    return oslo::enveloped(inner);
}

/// Reads it, with an envelope (driver messagingv2) or without (driver messaging). Throws decode_error.
[[nodiscard]] inline notification decode_notification(std::string_view body, std::string_view content_type)
{
    json inner = oslo::opened(body, content_type);
    notification n;
    n.context(oslo::take_context(inner));
    n.publisher_id(oslo::any_text_of(inner, "publisher_id"));
    n.event_type(oslo::any_text_of(inner, "event_type"));
    n.message_id(oslo::any_text_of(inner, "message_id"));
    n.timestamp(oslo::any_text_of(inner, "timestamp"));
    n.unique_id(oslo::any_text_of(inner, "_unique_id"));
    if (const auto p = parse_priority(oslo::any_text_of(inner, "priority")))
        n.priority(*p);
    if (const auto at = inner.find("payload"); at != inner.end())
        n.payload(std::move(*at));
    return n;
}

/// Seconds since 1970 as a date and time in UTC.
[[nodiscard]] inline std::string utc_text(std::int64_t unix_time)
{
    const std::int64_t days = unix_time / 86'400;
    const std::int64_t seconds = unix_time % 86'400;
    // Years of 400-year cycles that begin in March: the leap day is a year's last.
    const std::int64_t shifted = days + 719'468;
    const std::int64_t era = shifted / 146'097;
    const std::int64_t day_of_era = shifted % 146'097;
    const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t from_march = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * from_march + 2) / 5 + 1;
    const std::int64_t month = from_march < 10 ? from_march + 3 : from_march - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);
    char text[64];
    const int size = std::snprintf(text, sizeof text, "%04d-%02d-%02d %02d:%02d:%02d", static_cast<int>(year),
                                   static_cast<int>(month), static_cast<int>(day), static_cast<int>(seconds / 3600),
                                   static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
    return std::string(text, static_cast<std::size_t>(size));
}

} // namespace leveret::notify
