#pragma once

#include "leveret/core/field_text.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/table.hpp"
#include "leveret/core/text_hash.hpp"
#include "leveret/routing/policy.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace leveret {

namespace routing {

/// Bindings are tables of headers. x-match says how: "all" (the default), "any", and both with "-with-x",
/// which look at names that begin with "x-" too. A value of type void asks only that the header is there.
/// Numbers of all types and times are compared by value, and so are texts and bytes; else types must be the same.
/// Source: RabbitMQ 3.10, rabbit_exchange_type_headers.
///
/// A binding is found by one of its pairs (all) or by each of them (any): a hash of name and value, or of
/// the name if only presence is asked for. Of all its pairs it is the one under which the fewest bindings are filed
/// when it comes, so that a pair that many have in common does not make routing linear.
class headers_router {
public:
    headers_router() = default;
    explicit headers_router(const router_context& c) noexcept : seed_(c.seed) {}
    headers_router(const headers_router&) = delete;
    headers_router& operator=(const headers_router&) = delete;
    ~headers_router()
    {
        for (pattern* p : patterns_)
            delete p;
    }

    void add(std::string_view, const table& arguments, binding& b)
    {
        auto fresh = std::make_unique<pattern>(b.target);
        read(arguments, *fresh);
        patterns_.reserve(patterns_.size() + 1);
        try {
            if (fresh->wanted.empty()) {
                if (fresh->all)
                    always_.add(*fresh); // nothing to miss; "any" of nothing never matches
            } else if (fresh->all) {
                file(*most_selective(*fresh));
            } else {
                for (pair_node* p : fresh->wanted)
                    file(*p);
            }
        } catch (...) {
            unfile(*fresh);
            throw;
        }
        fresh->place_in_all = patterns_.size();
        patterns_.push_back(fresh.get());
        b.place = fresh.release();
    }
    void remove(std::string_view, const table&, binding& b) noexcept
    {
        auto* gone = static_cast<pattern*>(b.place);
        unfile(*gone);
        if (gone->wanted.empty() && gone->all)
            always_.remove(*gone);
        patterns_[gone->place_in_all] = patterns_.back();
        patterns_[gone->place_in_all]->place_in_all = gone->place_in_all;
        patterns_.pop_back();
        delete gone;
    }
    template <class Visit>
    void route(std::string_view, const table& headers, Visit&& visit) const
    {
        always_.visit(visit);
        if (pairs_.empty())
            return;
        for (const auto& [name, value] : headers) {
            try_pairs(hash_of(name, nullptr), headers, name, value, visit);
            try_pairs(hash_of(name, &value), headers, name, value, visit);
        }
    }

    /// How many pairs of bindings a message with these headers is compared with.
    [[nodiscard]] std::size_t candidates(const table& headers) const noexcept
    {
        std::size_t n = 0;
        for (const auto& [name, value] : headers)
            n += filed_under(hash_of(name, nullptr)) + filed_under(hash_of(name, &value));
        return n;
    }
    /// What is wrong with the arguments of a binding, in RabbitMQ's words; empty if nothing.
    [[nodiscard]] static std::string refusal(const table& arguments);

private:
    struct pattern;
    /// A header that a pattern wants; it is in the index while `filed`.
    struct pair_node {
        std::string name;
        field_value value; // void: any value
        std::uint64_t hash = 0;
        pattern* owner = nullptr;
        // Pairs with one hash are a list, whose first is in the index.
        pair_node* next = nullptr;
        pair_node* previous = nullptr;
        std::size_t listed = 0; // of the first: how long the list is
        bool filed = false;
    };
    struct pattern : binding {
        using binding::binding;
        bool all = true;
        std::size_t place_in_all = 0;
        pod_vector<pair_node*> wanted;
        pattern(const pattern&) = delete;
        pattern& operator=(const pattern&) = delete;
        ~pattern()
        {
            for (pair_node* p : wanted)
                delete p;
        }
    };

    void read(const table& arguments, pattern& into) const
    {
        bool with_x = false;
        if (const auto* how = arguments.find_as<std::string>("x-match")) {
            into.all = how->starts_with("all");
            with_x = how->ends_with("-with-x");
        }
        for (const auto& [name, value] : arguments) {
            if (name == "x-match" || (!with_x && name.starts_with("x-")))
                continue;
            auto p = std::make_unique<pair_node>();
            p->name = name;
            p->value = value;
            p->hash = hash_of(name, value.is_void() ? nullptr : &value);
            p->owner = &into;
            into.wanted.push_back(p.get());
            static_cast<void>(p.release());
        }
    }
    [[nodiscard]] pair_node* first_of(std::uint64_t hash) const noexcept
    {
        return pairs_.find_first(hash);
    }
    [[nodiscard]] std::size_t filed_under(std::uint64_t hash) const noexcept
    {
        const pair_node* first = first_of(hash);
        return first == nullptr ? 0 : first->listed;
    }
    /// A value rather than mere presence, where as many are filed under either.
    [[nodiscard]] pair_node* most_selective(const pattern& of) const noexcept
    {
        pair_node* best = nullptr;
        std::size_t fewest = 0;
        for (pair_node* p : of.wanted) {
            const std::size_t n = filed_under(p->hash);
            if (best == nullptr || n < fewest ||
                (n == fewest && best->value.is_void() && !p->value.is_void())) {
                best = p;
                fewest = n;
            }
        }
        return best;
    }
    void file(pair_node& p)
    {
        if (pair_node* first = first_of(p.hash)) {
            p.next = first->next;
            p.previous = first;
            if (p.next != nullptr)
                p.next->previous = &p;
            first->next = &p;
            ++first->listed;
        } else {
            pairs_.insert(p.hash, &p);
            p.listed = 1;
        }
        p.filed = true;
    }
    void unfile(pattern& of) noexcept
    {
        for (pair_node* p : of.wanted) {
            if (!p->filed)
                continue;
            if (p->next != nullptr)
                p->next->previous = p->previous;
            if (p->previous != nullptr) {
                p->previous->next = p->next;
                --first_of(p->hash)->listed;
            } else {
                replace_first(*p);
            }
            p->filed = false;
        }
    }
    void replace_first(pair_node& p) noexcept
    {
        pairs_.erase(p.hash, &p);
        if (p.next == nullptr)
            return;
        p.next->listed = p.listed - 1;
        pairs_.insert(p.hash, p.next); // there is room: one was just erased
    }

    template <class Visit>
    void try_pairs(std::uint64_t hash, const table& headers, std::string_view name,
                   const field_value& value, Visit& visit) const
    {
        const pair_node* p = first_of(hash);
        for (; p != nullptr; p = p->next)
            if (p->name == name && is_wanted(p->value, value) &&
                (!p->owner->all || has_all(*p->owner, headers)))
                visit(p->owner->target);
    }
    [[nodiscard]] static bool has_all(const pattern& of, const table& headers) noexcept
    {
        for (const pair_node* p : of.wanted) {
            const field_value* value = headers.find(p->name);
            if (value == nullptr || !is_wanted(p->value, *value))
                return false;
        }
        return true;
    }

    /// Values are compared as Erlang has them: a time is a number, and bytes are a text.
    enum class value_class { integer, real, text, other };
    [[nodiscard]] static value_class class_of(const field_value& v) noexcept
    {
        if (is_integer(v.type()) || v.type() == field_type::timestamp)
            return value_class::integer;
        if (v.type() == field_type::string || v.type() == field_type::bytes)
            return value_class::text;
        const bool is_real = v.type() == field_type::float32 || v.type() == field_type::float64;
        return is_real ? value_class::real : value_class::other;
    }
    [[nodiscard]] static std::int64_t integer_of(const field_value& v) noexcept
    {
        const auto* time = v.as<timestamp>();
        return time == nullptr ? v.integer() : static_cast<std::int64_t>(time->seconds);
    }
    [[nodiscard]] static double real_of(const field_value& v) noexcept
    {
        if (class_of(v) == value_class::integer)
            return static_cast<double>(integer_of(v));
        if (const auto* single = v.as<float>())
            return static_cast<double>(*single);
        const auto* twice = v.as<double>();
        return twice == nullptr ? 0.0 : *twice;
    }
    [[nodiscard]] static bool is_wanted(const field_value& wanted,
                                        const field_value& value) noexcept
    {
        if (wanted.is_void())
            return true;
        const value_class kind = class_of(wanted);
        const value_class of_value = class_of(value);
        if (kind == value_class::text || of_value == value_class::text)
            return kind == of_value && wanted.text() == value.text();
        if (kind == value_class::other || of_value == value_class::other)
            return kind == of_value && wanted == value;
        if (kind == value_class::integer && of_value == value_class::integer)
            return integer_of(wanted) == integer_of(value);
        return real_of(wanted) == real_of(value);
    }
    /// Equal values hash equally; some unequal ones do too (tables, arrays, reals).
    [[nodiscard]] std::uint64_t hash_of(std::string_view name, const field_value* v) const noexcept
    {
        const std::uint64_t h = text_hash(name, seed_);
        if (v == nullptr)
            return h;
        switch (class_of(*v)) {
        case value_class::integer:
        case value_class::real: { // the whole part: equal numbers have the same, of whatever type
            const double whole = real_of(*v);
            const bool is_small = whole > -9e15 && whole < 9e15;
            const auto bits = is_small ? static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) : 1U;
            return mix(h, bits ^ 0x8d2f4b6917c3a5e1U); // never zero: that is no small number
        }
        case value_class::text: return text_hash(v->text(), h ^ 'S');
        case value_class::other: break;
        }
        if (const auto* flag = v->as<bool>())
            return mix(h, 0xe7037ed1a0b428dbU + (*flag ? 2U : 0U));
        return mix(h, 0x589965cc75374cc3U + static_cast<unsigned char>(v->type()));
    }

    hash_index<pair_node> pairs_;
    target_list always_;
    pod_vector<pattern*> patterns_;
    std::uint64_t seed_ = 0;
};

inline std::string headers_router::refusal(const table& arguments)
{
    const field_value* how = arguments.find("x-match");
    if (how == nullptr)
        return {};
    if (how->type() != field_type::string)
        return "Invalid x-match field type " + std::string(type_name(how->type())) + " (value " + value_text(*how) +
               "); expected longstr";
    const std::string_view text = how->text();
    if (text == "all" || text == "any" || text == "all-with-x" || text == "any-with-x")
        return {};
    return "Invalid x-match field value <<\"" + std::string(text) +
           "\">>; expected all, any, all-with-x, or any-with-x";
}

} // namespace routing

/// The headers exchange (AMQP 0-9-1, section 3.1.3.4, and RabbitMQ).
struct headers {
    static constexpr std::string_view name = "headers";
    static constexpr bool is_stable = true;
    using router = routing::headers_router;
    [[nodiscard]] static std::string refusal(const table& arguments)
    {
        return router::refusal(arguments);
    }
};

} // namespace leveret
