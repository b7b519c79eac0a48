// One connection of a load client, with at most one request on it. It reads all the time, so that
// it sees at once when the other side closes it between two requests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/message_reader.h"
#include "lbsim/scenario/scenario.h"

namespace lb::harness {

class LoadConnection;

// Whom a connection tells. Neither call comes out of open() or send().
class LoadConnectionOwner {
 public:
  // The request has its answer: connection.head(). rest() or close() the connection.
  virtual void on_answer(LoadConnection& connection, std::uint64_t number) = 0;
  // The connection is gone, and with it the answer to `number`, if there was a request on it.
  // `stale`: it had carried requests before, and not a byte of this answer had come, so the other
  // side may just have closed it as unused.
  virtual void on_broken(LoadConnection& connection, std::optional<std::uint64_t> number,
                         bool stale) = 0;

 protected:
  ~LoadConnectionOwner() = default;
};

// What all connections of a load have in common.
struct LoadConnectionPlan {
  boost::asio::ip::tcp::endpoint target;
  std::vector<std::string> request_texts;  // By target; {client} is the number of the client.
  bool is_head = false;
  std::size_t load_index = 0;  // Decides the source addresses of the clients.
};

// Held by shared pointers: its pending read keeps it alive. After close() it touches neither its
// owner nor its plan, which have to live until then.
class LoadConnection : public std::enable_shared_from_this<LoadConnection> {
 public:
  LoadConnection(boost::asio::io_context& io, const LoadConnectionPlan& plan,
                 LoadConnectionOwner& owner, std::uint32_t client)
      : io_(io), plan_(plan), owner_(owner), client_(client), socket_(io) {}

  // Connects from the client's address and sends the request.
  void open(std::uint64_t number, std::uint32_t target);
  // REQUIRES: it rests.
  void send(std::uint64_t number, std::uint32_t target);
  // Ready for the next request. REQUIRES: reusable().
  void rest();
  // Calls nobody.
  void close();

  [[nodiscard]] std::uint32_t client() const { return client_; }
  [[nodiscard]] const Head& head() const { return reader_.head(); }
  [[nodiscard]] bool reusable() const { return reader_.keep_alive() && !reader_.has_leftover(); }

 private:
  void read();
  void on_read(const boost::system::error_code& error, std::size_t count);
  void on_progress(AnswerReader::Progress progress);
  void broken();
  [[nodiscard]] boost::system::error_code open_socket();

  boost::asio::io_context& io_;
  const LoadConnectionPlan& plan_;
  LoadConnectionOwner& owner_;
  const std::uint32_t client_;
  std::uint32_t target_ = 0;  // What is asked for.
  std::string request_text_;  // Empty before the first request, and then that of the last.
  boost::asio::ip::tcp::socket socket_;
  AnswerReader reader_;
  std::optional<std::uint64_t> number_;  // Of the request on it.
  std::uint32_t served_ = 0;
  bool answer_begun_ = false;
  bool closed_ = false;
};

}  // namespace lb::harness
