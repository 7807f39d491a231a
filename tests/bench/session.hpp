#pragma once

// One connection of the fake server: frames in, the least answers that keep a client content out.

#include "channel.hpp"
#include "source.hpp"
#include "wire.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct settings {
    source_spec source;    // what a bare `source` queue gives
    bool ack_each = false; // confirm one by one instead of once for each read
    std::uint16_t heartbeat = 0;
};

class session {
public:
    /// Takes over a connected, non-blocking socket.
    session(int fd, const settings& options);
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session();

    /// Both do what the socket allows now; false when the connection is over.
    bool readable();
    bool writable();

    /// Whether writable() has to be called when the socket takes more.
    bool wants_writable() const { return more_; }

    /// Whether the socket tells of its octets only when there are many. Somebody has to call
    /// readable() every few milliseconds then, for the last of them.
    bool is_bulk() const { return is_bulk_; }

    /// Once a second: keeps heartbeats going where the client asked for them.
    bool tick();

private:
    enum class stage : std::uint8_t { greeting, open, closing, over };

    struct consumer {
        std::uint16_t channel;
        bool no_ack;
        std::string tag;
        std::string queue;
        std::shared_ptr<delivery_source> source; // null: only echoes arrive here
    };

    // Frames
    const char* greet(const char* p, const char* end);
    const char* walk(const char* p, const char* end);
    void on_frame(std::uint8_t type, std::uint16_t number, std::string_view payload);
    void on_method(std::uint16_t number, std::string_view payload);
    void on_connection_method(std::uint32_t id, cursor args);
    void on_channel_method(std::uint16_t number, std::uint32_t id, cursor args);
    bool answer_plainly(std::uint16_t number, std::uint32_t id, cursor args);
    void fail(std::uint16_t code, std::string_view text);

    // Methods with an effect
    void send_start();
    void send_tune();
    void open_channel(std::uint16_t number);
    void close_channel(std::uint16_t number);
    void declare_queue(std::uint16_t number, cursor args);
    void start_consumer(std::uint16_t number, cursor args);
    void cancel_consumer(std::uint16_t number, cursor args);
    void settle(std::uint16_t number, std::uint32_t id, cursor args);

    // Content
    void start_publish(channel_state& channel, cursor args);
    void on_content_header(std::uint16_t number, std::string_view payload);
    void on_body(std::uint16_t number, std::string_view payload);
    void finish_publish(std::uint16_t number, channel_state& channel);
    void deliver_echo(const incoming& content);
    void send_confirms();

    // Input and output
    void expect_bulk(bool bulk);
    bool flush();
    bool next_batch();
    bool send_some(std::string_view& bytes);

    channel_state* open_channel_at(std::uint16_t number);

    int fd_;
    const settings& options_;
    stage stage_ = stage::greeting;
    bool more_ = false;
    bool is_bulk_ = false;
    bool answers_ = false; // somebody waits for confirms or deliveries
    std::uint16_t heartbeat_ = 0;
    int quiet_seconds_ = 0;
    std::uint32_t frame_max_ = default_frame_max;
    std::uint64_t names_ = 0; // queues and consumers named so far

    std::unique_ptr<char[]> in_;
    std::size_t have_ = 0; // octets of an unfinished frame at the front of in_

    std::string out_;                               // answers, sent whole before any further batch
    std::size_t out_sent_ = 0;                      // octets of out_ that are gone
    std::string_view sending_;                      // the part of a batch not yet sent
    std::shared_ptr<delivery_source> sending_from_; // a cancel must not free what is half sent

    std::vector<channel_state> channels_;
    std::vector<std::uint16_t> acks_due_;
    std::vector<consumer> consumers_;
    std::size_t turn_ = 0;
};

} // namespace bench
