#pragma once

#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret::engine {

/// A message as a client published it: its three frames, one behind the other. The next one mostly differs from it
/// in its body alone, and is recognised by comparing, without being parsed or checked again.
class publish_shape {
public:
    /// Where things lie, counted from the first octet of the method frame.
    struct places {
        std::size_t exchange_at; ///< its text
        std::size_t exchange_size;
        std::size_t key_at;
        std::size_t key_size;
        std::size_t properties_at;
        std::size_t properties_size;
        std::uint16_t flags; ///< of properties
        bool mandatory;
        bool immediate;
        std::size_t body_at;
        std::size_t whole; ///< to the end of the body frame
    };

    [[nodiscard]] const places& at() const noexcept { return at_; }

    void forget() noexcept { needed_ = static_cast<std::size_t>(-1); }
    /// Needs a body of one frame and one octet at least.
    void remember(const char* p, const places& where) noexcept
    {
        forget();
        if (where.body_at > sizeof head_)
            return;
        std::memcpy(head_, p, where.body_at);
        at_ = where;
        needed_ = where.whole;
    }
    /// Whether the input begins with another one that is here as a whole.
    [[nodiscard]] bool matches(std::string_view in) const noexcept
    {
        return in.size() >= needed_ && wire::same_bytes(in.data(), head_, at_.body_at) &&
               static_cast<unsigned char>(in[needed_ - 1]) == wire::frame_end;
    }

private:
    std::size_t needed_ = static_cast<std::size_t>(-1);
    places at_{};
    char head_[256] = {};
};

} // namespace leveret::engine
