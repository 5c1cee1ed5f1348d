package shop

import "time"

// Protocols a [Service] can be called by. The database protocols have no server spans of their own:
// like real databases they are only visible in their callers' client spans.
const (
	ProtocolHTTP       = "http"
	ProtocolGRPC       = "grpc"
	ProtocolKafka      = "kafka"
	ProtocolPostgres   = "postgresql"
	ProtocolRedis      = "redis"
	ProtocolOpenSearch = "opensearch"
)

// Service is one node of the call graph.
type Service struct {
	// Name is service.name; unique.
	Name string
	// Protocol is one of the Protocol constants.
	Protocol string
	// External marks a third party over HTTP that exports no spans itself.
	External bool
	// Language is telemetry.sdk.language.
	Language string
	// Version is service.version of the stable pods.
	Version string
	// Pods is the number of stable pods, at least 1; ignored for services without server spans.
	Pods int
	// Routes are the operations; at least one.
	Routes []Route
}

// Route is one operation of a service.
type Route struct {
	// Name is "METHOD /path/{id}" for HTTP (at most one placeholder), "package.Service/Method" for gRPC,
	// the destination for Kafka and "VERB collection" for databases. Unique within the service.
	Name string
	// Weight is the share of user traffic that enters the shop here, relative to the other weights.
	// Zero: the route is only called by other services.
	Weight float64
	// Self is the time the operation takes itself, without its calls.
	Self Latency
	// ErrorRate is the share of requests that fail on their own (500, INTERNAL), in [0, 1].
	ErrorRate float64
	// NotFoundRate is the share answered with 404 or NOT_FOUND, in [0, 1]: an error for the client span
	// and not for the server span, as the semantic conventions have it.
	NotFoundRate float64
	// Calls are made in order.
	Calls []Call
}

// Latency is a lognormal distribution: exp(N(ln Median, Sigma²)).
type Latency struct {
	// Median is the 50th percentile; greater than zero.
	Median time.Duration
	// Sigma is the standard deviation of the logarithm; 0 is constant, 0.5 a usual service.
	Sigma float64
}

// Call is one edge of the call graph, which must have no cycles.
type Call struct {
	// Service and Route name the callee.
	Service, Route string
	// Share is the probability that the call is made, in (0, 1]; 0 stands for 1.
	Share float64
	// Optional: the caller answers well even when this call fails.
	Optional bool
	// Parallel: starts together with the call before it instead of after it.
	Parallel bool
	// Timeout ends the client span and fails it; 0 stands for 3 s.
	Timeout time.Duration
}

// DefaultServices is the shop: ten services, three databases and a card network. A request has 9.5 spans
// on average, a checkout 26.
func DefaultServices() []Service {
	return []Service{
		frontend(), checkout(),
		{Name: "catalog", Protocol: ProtocolHTTP, Language: "go", Version: "2.7.1", Pods: 3, Routes: []Route{
			{Name: "GET /products", Self: lat(3, 0.4), ErrorRate: 0.0005, Calls: []Call{{Service: "postgres", Route: "SELECT products"}}},
			{Name: "GET /products/{id}", Self: lat(2, 0.4), ErrorRate: 0.0005, NotFoundRate: 0.01, Calls: []Call{
				{Service: "redis", Route: "GET product"},
				{Service: "postgres", Route: "SELECT products", Share: 0.2},
			}},
		}},
		{Name: "search", Protocol: ProtocolHTTP, Language: "java", Version: "5.0.3", Pods: 2, Routes: []Route{
			{Name: "GET /search", Self: lat(8, 0.5), ErrorRate: 0.001, Calls: []Call{
				{Service: "opensearch", Route: "SEARCH products"},
				{Service: "catalog", Route: "GET /products"},
			}},
		}},
		{Name: "recommendation", Protocol: ProtocolGRPC, Language: "python", Version: "0.9.4", Pods: 2, Routes: []Route{
			{Name: "shop.Recommendation/List", Self: lat(12, 0.6), ErrorRate: 0.004, Calls: []Call{
				{Service: "redis", Route: "GET profile"},
				{Service: "catalog", Route: "GET /products", Share: 0.5},
			}},
		}},
		{Name: "cart", Protocol: ProtocolGRPC, Language: "dotnet", Version: "4.2.0", Pods: 3, Routes: []Route{
			{Name: "shop.Cart/Get", Self: lat(1.5, 0.4), ErrorRate: 0.0005, NotFoundRate: 0.005, Calls: []Call{{Service: "redis", Route: "HGETALL cart"}}},
			{Name: "shop.Cart/Add", Self: lat(2, 0.4), ErrorRate: 0.001, Calls: []Call{{Service: "redis", Route: "HSET cart"}}},
			{Name: "shop.Cart/Empty", Self: lat(1, 0.4), ErrorRate: 0.0005, Calls: []Call{{Service: "redis", Route: "DEL cart"}}},
		}},
		{Name: "payment", Protocol: ProtocolHTTP, Language: "nodejs", Version: "1.8.2", Pods: 3, Routes: []Route{
			{Name: "POST /charges", Self: lat(6, 0.5), ErrorRate: 0.002, Calls: []Call{
				{Service: "card-network", Route: "POST /authorize", Timeout: 2 * time.Second},
				{Service: "postgres", Route: "INSERT payments"},
			}},
		}},
		{Name: "currency", Protocol: ProtocolGRPC, Language: "cpp", Version: "1.3.0", Pods: 2, Routes: []Route{
			{Name: "shop.Currency/Convert", Self: lat(0.4, 0.3), ErrorRate: 0.0002},
		}},
		{Name: "shipping", Protocol: ProtocolHTTP, Language: "rust", Version: "0.6.1", Pods: 2, Routes: []Route{
			{Name: "POST /quotes", Self: lat(4, 0.4), ErrorRate: 0.001},
			{Name: "POST /shipments", Self: lat(9, 0.5), ErrorRate: 0.001, Calls: []Call{{Service: "postgres", Route: "INSERT shipments"}}},
		}},
		{Name: "email", Protocol: ProtocolKafka, Language: "ruby", Version: "2.1.5", Pods: 1, Routes: []Route{
			{Name: "orders.confirmed", Self: lat(25, 0.6), ErrorRate: 0.003},
		}},
		{Name: "postgres", Protocol: ProtocolPostgres, Routes: []Route{
			{Name: "SELECT products", Self: lat(2, 0.6), ErrorRate: 0.0002},
			{Name: "INSERT payments", Self: lat(3, 0.5), ErrorRate: 0.0002},
			{Name: "INSERT orders", Self: lat(3, 0.5), ErrorRate: 0.0002},
			{Name: "INSERT shipments", Self: lat(3, 0.5), ErrorRate: 0.0002},
		}},
		{Name: "redis", Protocol: ProtocolRedis, Routes: []Route{
			{Name: "GET product", Self: lat(0.4, 0.4)}, {Name: "GET profile", Self: lat(0.4, 0.4)},
			{Name: "HGETALL cart", Self: lat(0.5, 0.4)}, {Name: "HSET cart", Self: lat(0.5, 0.4)}, {Name: "DEL cart", Self: lat(0.4, 0.4)},
		}},
		{Name: "opensearch", Protocol: ProtocolOpenSearch, Routes: []Route{
			{Name: "SEARCH products", Self: lat(15, 0.7), ErrorRate: 0.0005},
		}},
		{Name: "card-network", Protocol: ProtocolHTTP, External: true, Routes: []Route{
			{Name: "POST /authorize", Self: lat(80, 0.5), ErrorRate: 0.001},
		}},
	}
}

func frontend() Service {
	return Service{Name: "frontend", Protocol: ProtocolHTTP, Language: "nodejs", Version: "3.14.0", Pods: 4, Routes: []Route{
		{Name: "GET /", Weight: 30, Self: lat(6, 0.5), ErrorRate: 0.0005, Calls: []Call{
			{Service: "catalog", Route: "GET /products"},
			{Service: "recommendation", Route: "shop.Recommendation/List", Optional: true, Parallel: true, Timeout: time.Second},
			{Service: "cart", Route: "shop.Cart/Get", Optional: true, Parallel: true, Timeout: time.Second},
		}},
		{Name: "GET /product/{id}", Weight: 35, Self: lat(5, 0.5), ErrorRate: 0.0005, NotFoundRate: 0.008, Calls: []Call{
			{Service: "catalog", Route: "GET /products/{id}"},
			{Service: "currency", Route: "shop.Currency/Convert", Share: 0.4},
			{Service: "recommendation", Route: "shop.Recommendation/List", Share: 0.5, Optional: true, Parallel: true, Timeout: time.Second},
		}},
		{Name: "GET /search", Weight: 15, Self: lat(5, 0.5), ErrorRate: 0.0005, Calls: []Call{{Service: "search", Route: "GET /search"}}},
		{Name: "GET /cart", Weight: 8, Self: lat(4, 0.5), ErrorRate: 0.0005, Calls: []Call{
			{Service: "cart", Route: "shop.Cart/Get"},
			{Service: "currency", Route: "shop.Currency/Convert"},
			{Service: "shipping", Route: "POST /quotes", Optional: true, Timeout: time.Second},
		}},
		{Name: "POST /cart", Weight: 7, Self: lat(4, 0.5), ErrorRate: 0.0005, Calls: []Call{
			{Service: "catalog", Route: "GET /products/{id}"},
			{Service: "cart", Route: "shop.Cart/Add"},
		}},
		{Name: "POST /checkout", Weight: 5, Self: lat(7, 0.5), ErrorRate: 0.001, Calls: []Call{
			{Service: "checkout", Route: "POST /orders", Timeout: 5 * time.Second},
		}},
	}}
}

func checkout() Service {
	return Service{Name: "checkout", Protocol: ProtocolHTTP, Language: "go", Version: "1.21.0", Pods: 3, Routes: []Route{
		{Name: "POST /orders", Self: lat(8, 0.5), ErrorRate: 0.002, Calls: []Call{
			{Service: "cart", Route: "shop.Cart/Get"},
			{Service: "catalog", Route: "GET /products/{id}"},
			{Service: "currency", Route: "shop.Currency/Convert", Parallel: true},
			{Service: "shipping", Route: "POST /quotes", Parallel: true},
			{Service: "payment", Route: "POST /charges"},
			{Service: "postgres", Route: "INSERT orders"},
			{Service: "shipping", Route: "POST /shipments"},
			{Service: "cart", Route: "shop.Cart/Empty", Optional: true},
			{Service: "email", Route: "orders.confirmed"},
		}},
	}}
}

func lat(medianMillis, sigma float64) Latency {
	return Latency{Median: time.Duration(medianMillis * float64(time.Millisecond)), Sigma: sigma}
}
