#pragma once

#include "leveret/wire/byte_order.hpp"
#include "leveret/wire/frame.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret::engine {

/// A delivery without properties as it lay in the read buffer. The next one mostly differs from it in
/// delivery tag, redelivered bit and body alone, and is recognised by comparing, without being parsed.
class delivery_shape {
public:
    /// Where things lie, counted from the first octet of the method frame.
    struct places {
        std::size_t tag_at;    ///< delivery tag, then the redelivered bit
        std::size_t args_size; ///< arguments of basic.deliver, which begin at 11
        std::size_t body_size;
        std::size_t whole; ///< to the end of the body frame
        std::size_t body_at = 0; ///< for `remember` to find
    };

    [[nodiscard]] const places& at() const noexcept { return at_; }

    /// No delivery is like the one before.
    void forget() noexcept { needed_ = static_cast<std::size_t>(-1); }
    void remember(const char* p, const places& where) noexcept
    {
        const std::size_t head = where.whole - where.body_size - 1;
        forget();
        if (head > sizeof head_)
            return;
        std::memcpy(head_, p, head);
        at_ = where;
        at_.body_at = head;
        needed_ = where.whole;
        const std::size_t behind = where.tag_at + varying;
        is_common_ = where.tag_at >= 16 && where.tag_at <= 32 && head - behind >= 32 && head - behind <= 48;
    }
    /// Whether the input begins with another one that is here as a whole.
    [[nodiscard]] bool matches(std::string_view in) const noexcept
    {
        if (in.size() < needed_)
            return false;
        const char* p = in.data();
        const std::size_t behind = at_.tag_at + varying;
        const bool same = is_common_
                              ? has_same_common_head(p)
                              : wire::same_bytes(p, head_, at_.tag_at) &&
                                    wire::same_bytes(p + behind, head_ + behind, at_.body_at - behind);
        return same && static_cast<unsigned char>(p[at_.whole - 1]) == wire::frame_end;
    }

private:
    /// Sixteen bytes at once: a vector register where there are such.
    using vector = std::uint64_t __attribute__((vector_size(16)));
    static constexpr std::size_t varying = 9; // delivery tag, redelivered

    [[nodiscard]] vector difference(const char* p, std::size_t at) const noexcept
    {
        vector a;
        vector b;
        std::memcpy(&a, p + at, sizeof a);
        std::memcpy(&b, head_ + at, sizeof b);
        return a ^ b;
    }
    /// Two vectors cover what is before the tag, three what is behind it; they overlap.
    [[nodiscard]] bool has_same_common_head(const char* p) const noexcept
    {
        const std::size_t behind = at_.tag_at + varying;
        const vector d = difference(p, 0) | difference(p, at_.tag_at - 16) | difference(p, behind) |
                         difference(p, behind + 16) | difference(p, at_.body_at - 16);
        return (d[0] | d[1]) == 0;
    }

    std::size_t needed_ = static_cast<std::size_t>(-1);
    places at_{};
    bool is_common_ = false; // of the lengths that nearly all deliveries have
    char head_[160] = {};
};

} // namespace leveret::engine
