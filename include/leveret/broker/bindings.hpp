#pragma once

#include "leveret/broker/argument_text.hpp"
#include "leveret/broker/exchange.hpp"
#include "leveret/core/hash_index.hpp"
#include "leveret/core/text_hash.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace leveret::broker {

/// All bindings of a virtual host. Finding one costs the same however many there are, and so does taking
/// it out, by the lists of its two ends.
class bindings {
public:
    bindings() = default;
    bindings(const bindings&) = delete;
    bindings& operator=(const bindings&) = delete;
    ~bindings()
    {
        index_.for_each([](exchange_binding& b) { delete &b; });
    }

    [[nodiscard]] std::size_t size() const noexcept { return index_.size(); }

    /// The binding with these ends, key and arguments, or nullptr.
    [[nodiscard]] exchange_binding* find(const exchange& source, const destination& to,
                                         std::string_view key, const table& arguments) const
    {
        return index_.find(hash_of(source, to, key), [&](const exchange_binding& b) {
            return b.source == &source && b.to == &to && b.key == key &&
                   detail::is_same_table(b.arguments, arguments);
        });
    }
    /// Adds one that is not there. Throws std::bad_alloc, and then nothing has changed.
    void add(exchange& source, destination& to, std::string_view key, const table& arguments)
    {
        auto fresh = std::make_unique<exchange_binding>(source, to, key, arguments);
        exchange_binding& b = *fresh;
        b.hash = hash_of(source, to, key);
        source.router_->add(b);
        try {
            index_.insert(b.hash, &b);
        } catch (...) {
            source.router_->remove(b);
            throw;
        }
        static_cast<void>(fresh.release());
        b.next_out = source.outgoing_;
        if (b.next_out != nullptr)
            b.next_out->previous_out = &b;
        source.outgoing_ = &b;
        ++source.binding_count_;
        b.next_in = to.incoming_;
        if (b.next_in != nullptr)
            b.next_in->previous_in = &b;
        to.incoming_ = &b;
    }
    void remove(exchange_binding& b) noexcept
    {
        index_.erase(b.hash, &b);
        b.source->router_->remove(b);
        (b.previous_out == nullptr ? b.source->outgoing_ : b.previous_out->next_out) = b.next_out;
        if (b.next_out != nullptr)
            b.next_out->previous_out = b.previous_out;
        --b.source->binding_count_;
        (b.previous_in == nullptr ? b.to->incoming_ : b.previous_in->next_in) = b.next_in;
        if (b.next_in != nullptr)
            b.next_in->previous_in = b.previous_in;
        delete &b;
    }

private:
    [[nodiscard]] static std::uint64_t hash_of(const exchange& source, const destination& to,
                                               std::string_view key) noexcept
    {
        const auto ends = mix(reinterpret_cast<std::uintptr_t>(&source) | 1U,
                              reinterpret_cast<std::uintptr_t>(&to) | 1U);
        return text_hash(key, ends);
    }

    hash_index<exchange_binding> index_;
};

} // namespace leveret::broker
