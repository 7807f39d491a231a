#pragma once

#include "leveret/core/assert.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/ring_queue.hpp"

#include <cstddef>
#include <cstring>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// Bytes on their way to the socket: chunks that are filled one behind the other, and slices of message
/// bodies that are too large to copy. A chunk never moves, so what is being written stays where it is
/// while more is appended. Emptied chunks are kept for the next bytes.
class output_buffer {
public:
    static constexpr std::size_t chunk_size = 64 * 1024;
    static constexpr std::size_t kept_chunks = 6;

    output_buffer() = default;
    output_buffer(const output_buffer&) = delete;
    output_buffer& operator=(const output_buffer&) = delete;
    ~output_buffer()
    {
        for (std::size_t i = 0; i < segments_.size(); ++i)
            release(segments_[i]);
        for (std::size_t i = 0; i < free_count_; ++i)
            free_[i]->drop_reference();
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Memory for exactly `n` bytes in one piece, which count as appended and must be written before
    /// anything else happens to this buffer. Throws std::bad_alloc.
    [[nodiscard]] char* append(std::size_t n)
    {
        if (room() < n)
            add_chunk(n);
        segment& tail = segments_.back();
        char* at = tail.chunk->data() + tail.end;
        tail.end += n;
        size_ += n;
        return at;
    }
    void append(std::string_view bytes)
    {
        if (!bytes.empty())
            std::memcpy(append(bytes.size()), bytes.data(), bytes.size());
    }
    /// Appends a slice of a body without copying it.
    void append_shared(payload slice)
    {
        if (slice.empty())
            return;
        size_ += slice.size();
        segment s;
        s.end = slice.size();
        s.body = std::move(slice);
        segments_.push_back(std::move(s));
    }

    /// Calls `f(const char*, size_t)` for the pieces in order, until it returns false.
    template <class F>
    void for_each_piece(F&& f) const
    {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            const segment& s = segments_[i];
            const char* data = s.chunk != nullptr ? s.chunk->data() : s.body.data();
            if (s.end != s.begin && !f(data + s.begin, s.end - s.begin))
                return;
        }
    }

    /// Forgets the first `n` bytes: they are written.
    void consume(std::size_t n) noexcept
    {
        LEVERET_ASSERT(n <= size_);
        size_ -= n;
        while (n > 0) {
            segment& s = segments_.front();
            const std::size_t here = s.end - s.begin < n ? s.end - s.begin : n;
            s.begin += here;
            n -= here;
            if (s.begin == s.end)
                pop();
        }
        if (size_ == 0)
            reset();
    }

private:
    struct segment {
        shared_block* chunk = nullptr;
        payload body;
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    [[nodiscard]] std::size_t room() const noexcept
    {
        if (segments_.empty())
            return 0;
        const segment& tail = segments_[segments_.size() - 1];
        return tail.chunk == nullptr ? 0 : tail.chunk->capacity() - tail.end;
    }
    void add_chunk(std::size_t at_least)
    {
        segments_.reserve(segments_.size() + 1); // so that nothing is lost if there is no memory
        segment s;
        if (at_least <= chunk_size && free_count_ != 0) {
            s.chunk = free_[--free_count_];
        } else {
            s.chunk = shared_block::allocate(at_least > chunk_size ? at_least : chunk_size);
        }
        segments_.push_back(std::move(s));
    }
    /// Drops the first segment unless it is the chunk that is still being filled.
    void pop() noexcept
    {
        if (segments_.size() == 1 && room() > 0)
            return;
        release(segments_.front());
        static_cast<void>(segments_.pop_front());
    }
    /// Everything is written: the last chunk can be filled from its start again.
    void reset() noexcept
    {
        while (segments_.size() > 1)
            pop();
        if (!segments_.empty() && segments_.front().chunk != nullptr)
            segments_.front().begin = segments_.front().end = 0;
    }
    void release(segment& s) noexcept
    {
        if (s.chunk == nullptr) {
            s.body = payload();
        } else if (s.chunk->capacity() == chunk_size && free_count_ < kept_chunks) {
            free_[free_count_++] = s.chunk;
        } else {
            s.chunk->drop_reference();
        }
        s.chunk = nullptr;
    }

    ring_queue<segment> segments_;
    shared_block* free_[kept_chunks] = {};
    std::size_t free_count_ = 0;
    std::size_t size_ = 0;
};

} // namespace leveret::engine
