// A client with a user who is never idle, and everything that must hold about the two whatever the server
// sends: the client answers in whole frames, ends each operation once, says "closed" once and nothing after
// it, leaves alone what its user still looks at, and keeps no more memory than arrived plus a constant.
#pragma once

#include "fuzz/watched.hpp"
#include "support/amqp_frames.hpp"

#include <leveret/engine/client.hpp>
#include <leveret/engine/fingerprint.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

extern "C" std::size_t __sanitizer_get_current_allocated_bytes();

namespace leveret::fuzz {

using engine::event;

/// A client, its user, and everything that is watched about them.
class session {
public:
    struct options {
        bool is_open;   ///< after a handshake with channels and requests in flight, else just started
        bool is_traced; ///< what the client sends belongs to the trace
        std::uint32_t seed;
    };

    /// For a server that will send `input_size` bytes.
    session(const options& o, std::size_t input_size)
        : options_(o), random_(o.seed), most_memory_((4U << 20U) + 400 * input_size),
          memory_before_(__sanitizer_get_current_allocated_bytes())
    {
        largest_allocation = 0;
        engine::client_config config;
        config.heartbeat = 10;
        config.limits.message_size = 1U << 20U;
        config.limits.assembly_bytes = 2U << 20U;
        client_.emplace(std::move(config));
        client_->start(now_);
        if (o.is_open)
            open();
        largest_allocation = 0;
    }
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    ~session()
    {
        if (client_->reason())
            for (const operation& op : operations_)
                require(!op.is_waiting() || op.is_abandoned, "nothing waits when the connection has ended");
        for (channel& c : channels_)
            detach(c);
        for (operation& op : operations_)
            if (op.is_waiting() && !op.is_abandoned)
                client_->abandon(op.channel, op);
        collect_output();
        require(unparsed_.empty(), "what is sent is whole frames");
        client_.reset();
        for (const held& h : held_)
            release(h);
    }

    /// Every event so far and, if wanted, every frame that was sent.
    [[nodiscard]] std::string trace() const { return trace_ + "sent:\n" + sent_; }

    /// These bytes come in one read, if they fit.
    void feed(std::string_view bytes)
    {
        while (!bytes.empty() && client_->current_state() != engine::client::state::closed) {
            const auto space = client_->prepare();
            require(space.size != 0, "there is room for more");
            std::size_t n = bytes.size() < space.size ? bytes.size() : space.size;
            std::memcpy(space.data, bytes.data(), n);
            client_->received(n);
            bytes.remove_prefix(n);
            pull();
        }
        check_memory();
    }
    /// What a user does between two reads.
    void act()
    {
        channel& c = channels_[random_.below(std::size(channels_))];
        switch (random_.below(16)) {
        case 0: request(c, wire::queue::declare{}, wire::queue::declare_ok::id); break;
        case 1: request(c, wire::basic::get{}, wire::basic::get_ok::id); break;
        case 2: request(c, wire::basic::recover{}, wire::basic::recover_ok::id); break;
        case 3: client_->close_channel(c, new_operation(c), deadline()); break;
        case 4:
            if (c.state() == engine::channel_state::closed)
                client_->open_channel(c, *new_operation(c), deadline());
            break;
        case 5: detach(c); break;
        case 6: publish(c); break;
        case 7: client_->settle_up_to(c, c.deliveries().last_tag(), engine::settlement::ack); break;
        case 8: client_->settle(c, 1 + random_.below(20), engine::settlement::discard); break;
        case 9:
            if (operations_.empty())
                break;
            if (operation& op = operations_[random_.below(operations_.size())]; op.is_waiting()) {
                client_->abandon(op.channel, op);
                op.is_abandoned = true;
            }
            break;
        case 10: c.publishes().forget(listener_); break;
        case 11:
            now_ = now_ + duration::milliseconds(static_cast<std::int64_t>(random_.below(6000)));
            client_->tick(now_, random_.below(2) == 0);
            break;
        case 12:
            if (random_.below(20) == 0)
                client_->close(reply_code::success, "bye", deadline());
            break;
        case 13:
            if (random_.below(20) == 0)
                client_->input_ended(std::make_error_code(std::errc::connection_reset), "cut");
            break;
        case 14:
            if (!held_.empty())
                drop_held(random_.below(held_.size()));
            break;
        default: client_->flush_settlements(); break;
        }
        pull();
    }

private:
    /// A message that the user has not let go of.
    struct held {
        shared_block* block;
        bool is_leased;
        std::string_view body;
        std::size_t sum;
    };

    void open()
    {
        feed(test::start_frame() + test::tune_frame(2047, 8192, 10) + test::frame(0, wire::connection::open_ok{}));
        for (channel& c : channels_) {
            client_->open_channel(c, *new_operation(c), deadline());
            feed(test::frame(c.number(), wire::channel::open_ok{}));
        }
        require(client_->is_open() && channels_[2].number() == 3, "the handshake is right");
        channel& first = channels_[0];
        request(first, wire::confirm::select{}, wire::confirm::select_ok::id);
        for (int i = 0; i < 6; ++i)
            publish(first);
        channel& second = channels_[1];
        for (const char* tag : {"c", "d"}) {
            wire::basic::consume consume;
            consume.consumer_tag = tag;
            request(second, consume, wire::basic::consume_ok::id);
        }
        request(second, wire::basic::get{}, wire::basic::get_ok::id);
        request(second, wire::queue::declare{}, wire::queue::declare_ok::id);
        request(second, wire::tx::select{}, wire::tx::select_ok::id);
        client_->close_channel(channels_[2], new_operation(channels_[2]), deadline());
        client_->update_secret("secret", "it is time", operations_.emplace_back(nullptr), deadline());
    }
    [[nodiscard]] instant deadline() { return now_ + duration::seconds(30); }
    operation* new_operation(channel& c) { return &operations_.emplace_back(&c); }
    template <wire::method Request>
    void request(channel& c, const Request& m, wire::method_number answer)
    {
        client_->request(c, m, answer, new_operation(c), deadline());
    }
    /// Nobody waits for a channel whose owner goes away.
    void detach(channel& c)
    {
        for (operation& op : operations_)
            if (op.channel == &c && op.is_waiting()) {
                client_->abandon(&c, op);
                op.channel = nullptr;
                op.is_abandoned = true;
            }
        client_->detach_channel(c);
    }
    void publish(channel& c)
    {
        const engine::fingerprint mark =
            published_ % 3 == 0 ? engine::fingerprint("", "key", "body")
                                : engine::fingerprint(static_cast<std::uint32_t>(published_ % 3 - 1));
        ++published_;
        if (published_ % 4 == 0)
            c.publishes().published(nullptr, 0, 10, mark);
        else
            c.publishes().published(&listener_, ++listener_.published, 10, mark);
    }

    void pull()
    {
        for (;;) {
            const event* e = client_->next_delivery();
            if (e == nullptr)
                e = client_->next_event();
            if (e == nullptr)
                break;
            handle(*e);
        }
        if (client_->reason())
            require(closed_ == 1, "the end of a connection is told");
        collect_output();
    }
    void handle(const event& e)
    {
        require(closed_ == 0, "nothing is told after closed");
        ++events_;
        trace_ += std::to_string(static_cast<int>(e.what)) + " ";
        auto* c = static_cast<channel*>(e.channel);
        if (c != nullptr)
            trace_ += std::to_string(c->number()) + " ";
        switch (e.what) {
        case event::kind::closed:
            ++closed_;
            require(static_cast<bool>(client_->reason()), "closed has a reason");
            trace_ += client_->reason().sentence();
            break;
        case event::kind::delivery:
        case event::kind::got:
        case event::kind::returned: on_message(e, *c); break;
        default: trace_ += e.text; break;
        }
        trace_ += "\n";
        collect_output();
    }
    void on_message(const event& e, channel& c)
    {
        const wire::properties_view& p = e.message.properties;
        trace_ += std::to_string(e.delivery_tag) + " " + std::to_string(sum_of(e.message.args)) + " " +
                  std::to_string(p.flags()) + " " + std::to_string(sum_of(p.encoded())) + " " +
                  std::to_string(sum_of(e.message.body)) + (e.no_ack ? " no-ack" : "");
        static_cast<void>(wire::decode_properties(p));
        require(e.message.block != nullptr, "a message has a block");
        const bool is_leased = e.message.block == client_->read_block();
        if (!is_leased || events_ % 3 == 0) {
            if (is_leased)
                e.message.block->add_lease();
            held_.push_back({e.message.block, is_leased, e.message.body, sum_of(e.message.body)});
            if (held_.size() > 8)
                drop_held(events_ % held_.size());
        }
        if (e.what == event::kind::returned)
            return;
        if (e.what == event::kind::delivery) {
            const std::string_view tag = e.message.args.substr(1, static_cast<unsigned char>(e.message.args[0]));
            require(!e.same_consumer || tag == c.last_tag, "a shape is of one consumer");
            c.last_tag = tag;
        } else if (e.op != nullptr) {
            e.op->succeed();
        }
        if (!c.deliveries().arrived(e.delivery_tag, !e.no_ack)) {
            client_->refuse(protocol_errc::unexpected_method, "a tag out of order", {60, 60}, c.number());
        } else if (e.delivery_tag % 4 != 0) {
            client_->settle(c, e.delivery_tag,
                            e.delivery_tag % 4 == 1 ? engine::settlement::ack : engine::settlement::requeue);
        }
        client_->flush_settlements();
    }
    static void release(const held& h)
    {
        require(sum_of(h.body) == h.sum, "what is held stays as it is");
        if (h.is_leased)
            h.block->drop_lease();
        else
            h.block->drop_reference();
    }
    void drop_held(std::size_t i)
    {
        release(held_[i]);
        held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    }

    /// Everything that is sent is a frame that a server can read.
    void collect_output()
    {
        client_->output().for_each_piece([&](const char* data, std::size_t n) {
            unparsed_.append(data, n);
            return true;
        });
        client_->output().consume(client_->output().size());
        std::string_view rest = unparsed_;
        test::sent_frame f;
        for (std::size_t n = 0; (n = test::front_frame(rest, f)) != 0; rest.remove_prefix(n)) {
            if (f.is_protocol_header) {
                require(f.payload == wire::protocol_header, "the protocol header");
            } else if (f.type == wire::frame_type::heartbeat) {
                require(f.channel == 0 && f.payload.empty(), "a heartbeat");
            } else {
                require(f.type == wire::frame_type::method && n <= 8192, "a method");
                require(wire::all_methods::visit(f.method(), [&]<class Method>() {
                    wire::reader in(f.payload.substr(4));
                    static_cast<void>(wire::decode<Method>(in));
                    require(in.ok(), "arguments that can be read");
                }), "a known method");
                if (options_.is_traced)
                    sent_ += test::text_of(f) + "\n";
            }
        }
        unparsed_.erase(0, unparsed_.size() - rest.size());
    }
    void check_memory() const
    {
        const std::size_t now = __sanitizer_get_current_allocated_bytes();
        require(now < memory_before_ + most_memory_, "memory is bounded by what arrived");
        require(largest_allocation <= most_memory_ / 4, "so is each allocation");
    }

    options options_;
    random_numbers random_;
    std::size_t most_memory_;
    std::size_t memory_before_;
    instant now_{1'000'000'000};
    std::deque<operation> operations_;
    channel channels_[3];
    listener listener_;
    std::uint64_t published_ = 0;
    std::optional<engine::client> client_;
    std::vector<held> held_;
    std::string trace_;
    std::string sent_;
    std::string unparsed_;
    std::size_t events_ = 0;
    int closed_ = 0;
};

} // namespace leveret::fuzz
