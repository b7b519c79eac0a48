// Prober: carries out the control brain's probes, each on a connection of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "lbcore/control.h"
#include "lbnet/buffer.h"
#include "lbnet/endpoint.h"

namespace lb::net {
namespace tls {
class ClientContext;
}

class Prober {
 public:
  // Called once for each probe that is not abandoned. `detail` says what came: "200", "refused".
  // No result when this process was short of what it takes to ask, a descriptor for example.
  using Done = std::function<void(const ProbeId& probe, std::optional<ProbeResult> result,
                                  const std::string& detail)>;

  Prober(boost::asio::io_context& io, Done done);
  ~Prober();
  Prober(const Prober&) = delete;
  Prober& operator=(const Prober&) = delete;

  // An http probe passes with an answer from 200 to 399, a tcp probe with a connection. There is
  // no timeout here: the control brain has one, and abandons. `host` is the address as configured;
  // `tls` says how, null for plain, and makes the handshake part of the connection; `header` is
  // what it begins with.
  void start(const ProbeId& probe, const HealthCheckConfig& check, const Endpoint& endpoint,
             const std::string& host, const tls::ClientContext* tls = nullptr,
             SentProxyHeader header = SentProxyHeader::none);
  void abandon(const ProbeId& probe);
  void abandon_all();
  [[nodiscard]] bool idle() const { return attempts_.empty(); }

 private:
  class Attempt;

  boost::asio::io_context& io_;
  Done done_;
  BufferPool buffers_;
  std::map<ProbeId, std::unique_ptr<Attempt>> attempts_;
};

}  // namespace lb::net
