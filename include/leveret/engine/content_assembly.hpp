#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/engine/operation.hpp"
#include "leveret/wire/content_header.hpp"
#include "leveret/wire/types.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace leveret::engine {

/// Puts the frames of one message together: method, content header, bodies (specification 4.2.6). What
/// arrives whole in one read block stays where it lies. Anything else moves into a block of its own,
/// which grows with the bytes that arrive and never by what a header merely announces.
///
///     idle --method--> header --content header--> body --body frames--> idle
class content_assembly {
public:
    /// Room that is made for a body before its bytes are there.
    static constexpr std::size_t first_growth = 128 * 1024;
    static constexpr std::size_t most_growth = 1024 * 1024;

    enum class step : std::uint8_t { more, complete, error };

    content_assembly() = default;
    content_assembly(const content_assembly&) = delete;
    content_assembly& operator=(const content_assembly&) = delete;
    ~content_assembly() { drop(); }

    [[nodiscard]] bool is_idle() const noexcept { return stage_ == stage::idle; }
    [[nodiscard]] bool expects_header() const noexcept { return stage_ == stage::header; }
    [[nodiscard]] bool is_in_place() const noexcept { return !is_idle() && own_ == nullptr; }
    [[nodiscard]] wire::method_number method() const noexcept { return method_; }
    [[nodiscard]] protocol_errc error() const noexcept { return error_; }
    /// Bytes held outside the read block.
    [[nodiscard]] std::size_t held() const noexcept { return own_ == nullptr ? 0 : own_->capacity(); }

    /// A method that carries content; `args` lie in the current read block.
    void start(wire::method_number method, std::string_view args) noexcept
    {
        drop();
        stage_ = stage::header;
        method_ = method;
        content_.args = args;
    }

    [[nodiscard]] step header(std::string_view payload, const wire::limits& limits)
    {
        if (stage_ != stage::header)
            return fail(protocol_errc::unexpected_frame);
        wire::content_header h;
        const protocol_errc e = wire::parse_content_header(payload, limits.table_depth, h);
        if (e != protocol_errc::none)
            return fail(e);
        if (h.body_size > limits.message_size)
            return fail(protocol_errc::message_too_large);
        body_size_ = static_cast<std::size_t>(h.body_size);
        content_.properties = h.properties;
        stage_ = stage::body;
        if (own_ != nullptr)
            adopt_properties();
        return body_size_ == 0 ? complete({}) : step::more;
    }

    [[nodiscard]] step body(std::string_view payload)
    {
        if (stage_ != stage::body)
            return fail(protocol_errc::unexpected_frame);
        if (payload.size() > body_size_ - received_)
            return fail(protocol_errc::body_too_long);
        if (own_ == nullptr && payload.size() == body_size_)
            return complete(payload);
        if (own_ == nullptr)
            detach();
        reserve(payload.size());
        std::memcpy(own_->data() + prefix() + received_, payload.data(), payload.size());
        received_ += payload.size();
        if (received_ < body_size_)
            return step::more;
        return complete({own_->data() + prefix(), body_size_});
    }

    /// The read block is about to be written again: takes what lies in it along.
    void detach()
    {
        if (!is_in_place())
            return;
        own_ = shared_block::allocate(content_.args.size());
        args_size_ = content_.args.size();
        std::memcpy(own_->data(), content_.args.data(), args_size_);
        if (stage_ == stage::body)
            adopt_properties();
    }

    /// The whole message, after `complete`. Its block is the read block unless it was detached; then
    /// the caller takes over the only reference.
    [[nodiscard]] content take(shared_block* read_block) noexcept
    {
        content c = content_;
        if (own_ != nullptr) {
            c.args = {own_->data(), args_size_};
            c.properties = wire::properties_view(content_.properties.flags(),
                                                 {own_->data() + args_size_, properties_size_});
            c.block = own_;
            own_ = nullptr;
        } else {
            c.block = read_block;
        }
        drop();
        return c;
    }

    /// Forgets a message in the middle.
    void drop() noexcept
    {
        if (own_ != nullptr)
            own_->drop_reference();
        own_ = nullptr;
        stage_ = stage::idle;
        method_ = {};
        args_size_ = properties_size_ = body_size_ = received_ = 0;
        content_ = {};
    }

private:
    enum class stage : std::uint8_t { idle, header, body };

    [[nodiscard]] std::size_t prefix() const noexcept { return args_size_ + properties_size_; }
    [[nodiscard]] step fail(protocol_errc e) noexcept
    {
        error_ = e;
        return step::error;
    }
    [[nodiscard]] step complete(std::string_view whole) noexcept
    {
        content_.body = whole;
        return step::complete;
    }
    void adopt_properties()
    {
        const std::string_view encoded = content_.properties.encoded();
        properties_size_ = encoded.size();
        const std::size_t body = body_size_ < first_growth ? body_size_ : first_growth;
        own_ = shared_block::resize(own_, args_size_, prefix() + body);
        if (!encoded.empty())
            std::memcpy(own_->data() + args_size_, encoded.data(), encoded.size());
    }
    void reserve(std::size_t more)
    {
        const std::size_t needed = prefix() + received_ + more;
        if (needed <= own_->capacity())
            return;
        // No more in advance than has arrived, and never more than most_growth.
        std::size_t ahead = received_ + more < most_growth ? received_ + more : most_growth;
        if (ahead > body_size_ - received_ - more)
            ahead = body_size_ - received_ - more;
        own_ = shared_block::resize(own_, prefix() + received_, needed + ahead);
    }

    content content_; // views into the read block while own_ is null
    shared_block* own_ = nullptr; // args, properties, body
    std::size_t args_size_ = 0;
    std::size_t properties_size_ = 0;
    std::size_t body_size_ = 0;
    std::size_t received_ = 0;
    wire::method_number method_;
    stage stage_ = stage::idle;
    protocol_errc error_ = protocol_errc::none;
};

} // namespace leveret::engine
