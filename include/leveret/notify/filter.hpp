#pragma once

#include "leveret/json/value.hpp"
#include "leveret/notify/notification.hpp"

#include <algorithm>
#include <cstddef>
#include <regex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret::notify {

/// Which notifications a handler gets: those all of whose named parts match, from their beginning, regular expressions
/// (ECMAScript, without back-references). Entries of context and payload that are no texts never match, nor do texts of more
/// than `max_text`.
///
///     desk.on(lv::notify::priority::info, handler, lv::notify::filter().event_type("instance\\.").payload("state", "up"));
class filter {
public:
    filter() = default;

    /// Octets of a text that is looked at.
    static constexpr std::size_t max_text = 4096;

    /// Each throws std::regex_error if it is no regular expression, or has a back-reference.
    filter& publisher_id(std::string_view pattern) { return add(part::publisher_id, {}, pattern); }
    filter& event_type(std::string_view pattern) { return add(part::event_type, {}, pattern); }
    filter& context(std::string_view key, std::string_view pattern) { return add(part::context, key, pattern); }
    filter& payload(std::string_view key, std::string_view pattern) { return add(part::payload, key, pattern); }

    [[nodiscard]] bool matches(const notification& n) const
    {
        return std::all_of(rules_.begin(), rules_.end(), [&n](const rule& r) {
            switch (r.of) {
            case part::publisher_id: return r.matches(n.publisher_id());
            case part::event_type: return r.matches(n.event_type());
            case part::context: return r.matches_entry(n.context());
            case part::payload: return r.matches_entry(n.payload());
            }
            return false;
        });
    }

private:
    enum class part { publisher_id, event_type, context, payload };
    struct rule {
        part of;
        std::string key;
        std::regex pattern;

        [[nodiscard]] bool matches(const std::string& text) const
        {
            return text.size() <= max_text && std::regex_search(text, pattern, std::regex_constants::match_continuous);
        }
        [[nodiscard]] bool matches_entry(const json& object) const
        {
            const auto at = object.is_object() ? object.find(key) : object.end();
            return at != object.end() && at->is_string() && matches(at->get_ref<const std::string&>());
        }
    };
    filter& add(part of, std::string_view key, std::string_view pattern)
    {
        rules_.push_back(rule{of, std::string(key), std::regex(std::string(pattern), syntax)});
        return *this;
    }

#ifdef __GLIBCXX__
    // Otherwise (a+)+$ takes time that grows exponentially with a text, and hundreds of octets of the stack for each of its
    // letters, thousands with a sanitizer.
    static constexpr auto syntax = std::regex_constants::ECMAScript | std::regex_constants::__polynomial;
#else
    static constexpr auto syntax = std::regex_constants::ECMAScript;
#endif

    std::vector<rule> rules_;
};

} // namespace leveret::notify
