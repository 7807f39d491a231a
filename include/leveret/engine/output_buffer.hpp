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
    static constexpr std::size_t kept_chunks = 10;

    output_buffer() = default;
    output_buffer(const output_buffer&) = delete;
    output_buffer& operator=(const output_buffer&) = delete;
    ~output_buffer()
    {
        while (!segments_.empty())
            pop();
        if (chunk_ != nullptr)
            chunk_->drop_reference();
        for (std::size_t i = 0; i < free_count_; ++i)
            free_[i]->drop_reference();
    }

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    /// Memory for exactly `n` bytes in one piece, which count as appended and must be written before
    /// anything else happens to this buffer. Throws std::bad_alloc.
    [[nodiscard]] char* append(std::size_t n)
    {
        if (room_ < n || !filling_)
            start_segment(n);
        char* at = fill_;
        fill_ += n;
        room_ -= n;
        size_ += n;
        return at;
    }
    void append(std::string_view bytes)
    {
        if (!bytes.empty())
            std::memcpy(append(bytes.size()), bytes.data(), bytes.size());
    }
    /// Appends a slice of a body without copying it, unless it is one of a few bytes without a block.
    void append_shared(payload slice)
    {
        if (slice.empty())
            return;
        if (!slice.is_shared()) // its bytes would move with it
            return append(slice.view());
        segments_.reserve(segments_.size() + 1);
        end_segment();
        size_ += slice.size();
        segment s;
        s.end = slice.size();
        s.body = std::move(slice);
        segments_.push_back(std::move(s));
    }
    /// Makes room for `bytes` in appends and for `pieces` shared slices between them, so that none of
    /// these can fail. Throws std::bad_alloc.
    void reserve(std::size_t bytes, std::size_t pieces)
    {
        segments_.reserve(segments_.size() + 2 * pieces + 2);
        if (room_ < bytes || !filling_)
            start_segment(bytes);
    }

    /// Calls `f(const char*, size_t)` for the pieces in order, until it returns false.
    template <class F>
    void for_each_piece(F&& f) const
    {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            const segment& s = segments_[i];
            const char* data = s.chunk != nullptr ? s.chunk->data() : s.body.data();
            const std::size_t end = end_of(i);
            if (end != s.begin && !f(data + s.begin, end - s.begin))
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
            const std::size_t end = end_of(0);
            const std::size_t here = end - s.begin < n ? end - s.begin : n;
            s.begin += here;
            n -= here;
            if (s.begin == end)
                pop();
        }
        if (size_ == 0 && chunk_ != nullptr && chunk_->is_unique()) { // fill it from its start again
            fill_ = chunk_->data();
            room_ = chunk_->capacity();
        }
    }

    /// Gives back the memory that is kept for more.
    void release_spare() noexcept
    {
        while (free_count_ != 0)
            free_[--free_count_]->drop_reference();
        if (!segments_.empty() || chunk_ == nullptr)
            return;
        std::exchange(chunk_, nullptr)->drop_reference();
        fill_ = nullptr;
        room_ = 0;
        segments_ = {};
    }

private:
    /// Part of a chunk, with a reference on it, or a body.
    struct segment {
        shared_block* chunk = nullptr;
        payload body;
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    /// Where segment `i` ends: for the one that is being filled only the fill pointer knows.
    [[nodiscard]] std::size_t end_of(std::size_t i) const noexcept
    {
        return filling_ && i + 1 == segments_.size()
                   ? static_cast<std::size_t>(fill_ - chunk_->data())
                   : segments_[i].end;
    }
    void end_segment() noexcept
    {
        if (filling_)
            segments_.back().end = end_of(segments_.size() - 1);
        filling_ = false;
    }
    /// Begins a segment with room for `n` bytes, behind the last one in the same chunk if they fit.
    void start_segment(std::size_t n)
    {
        segments_.reserve(segments_.size() + 1); // first, so that nothing is lost without memory
        shared_block* fresh = nullptr;
        if (room_ < n)
            fresh = n <= chunk_size && free_count_ != 0
                        ? free_[--free_count_]
                        : shared_block::allocate(n > chunk_size ? n : chunk_size);
        end_segment();
        if (fresh != nullptr) {
            if (chunk_ != nullptr)
                drop(chunk_);
            chunk_ = fresh;
            fill_ = fresh->data();
            room_ = fresh->capacity();
        }
        segment s;
        s.chunk = chunk_;
        s.begin = s.end = static_cast<std::size_t>(fill_ - chunk_->data());
        chunk_->add_reference();
        segments_.push_back(std::move(s));
        filling_ = true;
    }
    void pop() noexcept
    {
        if (segments_.size() == 1)
            end_segment();
        segment s = segments_.pop_front();
        if (s.chunk != nullptr)
            drop(s.chunk);
    }
    /// Gives up a reference on a chunk, and keeps the chunk for later if it was the last.
    void drop(shared_block* chunk) noexcept
    {
        if (chunk->is_unique() && chunk->capacity() == chunk_size && free_count_ < kept_chunks)
            free_[free_count_++] = chunk;
        else
            chunk->drop_reference();
    }

    ring_queue<segment> segments_;
    shared_block* chunk_ = nullptr; // the one that is filled, with a reference of our own
    char* fill_ = nullptr;
    std::size_t room_ = 0;
    bool filling_ = false; // the last segment is the part of chunk_ that ends at fill_
    std::size_t size_ = 0;
    shared_block* free_[kept_chunks] = {};
    std::size_t free_count_ = 0;
};

} // namespace leveret::engine
