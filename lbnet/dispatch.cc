#include "lbnet/dispatch.h"

#include "lbnet/http/request_ids.h"
#include "lbnet/http/request_view.h"
#include "lbnet/worker.h"

namespace lb::net {

bool Dispatch::decide(Worker& worker, const ListenerSetup& setup, const http::RequestHead& head,
                      const ClientIdentity& client) {
  if (head.max_forwards == 0U) {
    way_ = Way::last_hop;
    // TRACE would have us repeat what a script on a page may not see.
    own_status_ = head.method == "TRACE" ? 405 : 200;
    return true;
  }
  cluster_ = setup.cluster;
  changes_.via = setup.via;
  changes_.secure = client.peer_secure;
  changes_.certificate_fields = client.certificate_fields;
  changes_.forwarded = setup.forwarded;
  changes_.peer_trusted = client.peer_trusted;
  secure_ = client.secure;
  if (setup.request_id || setup.traceparent) name(head, setup, worker);
  if (!setup.routes) return true;
  const http::RequestView view(head, client.address);
  const RequestAttributes request = view.attributes();
  const Routed routed = setup.routes->route(request, worker.path_scratch());
  if (routed.result == Routed::Result::bad_path) return false;
  way_ = Way::nowhere;
  if (routed) follow(routed, request, worker);
  return true;
}

// What came is kept where it can be believed; anybody may have a trace of his own.
void Dispatch::name(const http::RequestHead& head, const ListenerSetup& setup, Worker& worker) {
  if (setup.request_id) {
    const std::string_view given =
        changes_.peer_trusted ? http::request_id(head.fields) : std::string_view{};
    texts_->request_id = given;
    if (given.empty()) http::make_request_id(worker.ids(), texts_->request_id);
    changes_.request_id = texts_->request_id;
  }
  if (setup.traceparent) {
    texts_->traceparent = http::traceparent(head.fields);
    if (!texts_->traceparent.empty()) return;
    http::make_traceparent(worker.ids(), texts_->traceparent);
    changes_.traceparent = texts_->traceparent;
  }
}

void Dispatch::follow(const Routed& routed, const RequestAttributes& request, Worker& worker) {
  route_ = routed.route;
  if (route_->cors) apply_cors(request);
  if (way_ == Way::preflight) return;
  if (route_->redirect) {
    way_ = Way::redirect;
    return route_->redirect->write_location({.scheme = secure_ ? "https" : "http",
                                             .authority = worker.request_head().host,
                                             .path = routed.path,
                                             .query = request.query},
                                            texts_->location);
  }
  way_ = route_->respond ? Way::respond : Way::forward;
  if (way_ == Way::respond) return;
  cluster_ = route_->split->pick(request, route_->split->trivial() ? 0 : worker.draw());
  changes_.host = route_->rewritten_host;
  changes_.rules = &route_->request_headers;
  if (route_->rewrite.empty()) return;
  std::string& target = worker.target_scratch();
  route_->rewrite.apply(routed.path, target);
  if (!request.query.empty()) target.append("?").append(request.query);
  changes_.target = target;
}

void Dispatch::apply_cors(const RequestAttributes& request) {
  if (!Cors::is_preflight(request)) return route_->cors->write_fields(request, texts_->cors);
  way_ = Way::preflight;
  own_status_ = route_->cors->write_preflight_fields(request, texts_->cors) ? 204 : 403;
}

http::RouteAnswer Dispatch::answer() const {
  http::RouteAnswer answer;
  const http::AnswerChanges changes = answer_changes();
  answer.rules = changes.rules;
  answer.cors = changes.cors;
  if (way_ == Way::last_hop || way_ == Way::preflight) {
    answer.status = own_status_;
    return answer;
  }
  if (way_ == Way::redirect) {
    answer.status = route_->redirect->status();
    answer.location = texts_->location;
  } else {
    answer.status = route_->respond->status;
    answer.content_type = route_->respond->content_type;
  }
  return answer;
}

std::string_view Dispatch::answer_body() const {
  return way_ == Way::respond ? std::string_view{route_->respond->body} : std::string_view{};
}

// The key for strategies that hash, and whom the affinity cookie names. Most clusters need to look
// at no field for it.
RequestInput Dispatch::input(Worker& worker, const http::RequestHead& head,
                             const ClientIdentity& client) const {
  RequestInput input{
      .key = client.key, .pooled = true, .priority = route_ == nullptr ? 0 : route_->priority};
  const ClusterRuntime* cluster = worker.cluster(cluster_);
  if (cluster == nullptr) return input;
  const bool by_client = cluster->key_expression().source == KeyExpression::Source::client_ip;
  const AffinityCookies* cookies = cluster->affinity();
  if (by_client && cookies == nullptr) return input;
  const http::RequestView view(head, client.address);
  const RequestAttributes request = view.attributes();
  if (!by_client) input.key = key_of(cluster->key_expression(), request);
  if (cookies == nullptr) return input;
  if (const auto value = request.cookie(cookies->name())) {
    input.session = cookies->backend_of(*value);
  }
  return input;
}

Duration over_rate(Worker& worker, const http::RequestHead& head, const ClientIdentity& client) {
  const RateLimitConfig* limit = worker.rate_limit();
  if (limit == nullptr) return {};
  if (limit->key.source == KeyExpression::Source::client_ip) return worker.over_rate(client.key);
  const http::RequestView view(head, client.address);
  return worker.over_rate(key_of(limit->key, view.attributes()));
}

}  // namespace lb::net
