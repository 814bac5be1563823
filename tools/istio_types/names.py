"""What generated classes are called, and where their pages are.

CRDs name fields and no types. The names here are those of Istio's API reference; a shape without a name gets its path.
"""

from __future__ import annotations

import keyword
import re

from mesh_components.istio.model import IstioResource

DEPRECATED = ("jwks_uri", "mirror_percent")
"""Second spellings of jwksUri and mirrorPercent, which would have the same name in Python."""

PAGES = {
    "AuthorizationPolicy": "security/authorization-policy/",
    "DestinationRule": "networking/destination-rule/",
    "EnvoyFilter": "networking/envoy-filter/",
    "Gateway": "networking/gateway/",
    "PeerAuthentication": "security/peer_authentication/",
    "ProxyConfig": "networking/proxy-config/",
    "RequestAuthentication": "security/request_authentication/",
    "ServiceEntry": "networking/service-entry/",
    "Sidecar": "networking/sidecar/",
    "Telemetry": "telemetry/",
    "TrafficExtension": "proxy_extensions/traffic_extension/",
    "VirtualService": "networking/virtual-service/",
    "WasmPlugin": "proxy_extensions/wasm-plugin/",
    "WorkloadEntry": "networking/workload-entry/",
    "WorkloadGroup": "networking/workload-group/",
}

_BY_PATH = """
AuthorizationPolicy.spec.rules[]                  Rule
AuthorizationPolicy.spec.rules[].from[]           From
AuthorizationPolicy.spec.rules[].from[].source    Source
AuthorizationPolicy.spec.rules[].to[]             To
AuthorizationPolicy.spec.rules[].to[].operation   Operation
AuthorizationPolicy.spec.rules[].when[]           Condition
AuthorizationPolicy.spec.provider                 NamedRef
DestinationRule.spec.subsets[]                    Subset
DestinationRule.spec.trafficPolicy                TrafficPolicy
DestinationRule.spec.trafficPolicy.connectionPool  ConnectionPoolSettings
DestinationRule.spec.trafficPolicy.connectionPool.http              HTTPSettings
DestinationRule.spec.trafficPolicy.connectionPool.tcp               TCPSettings
DestinationRule.spec.trafficPolicy.connectionPool.tcp.tcpKeepalive  TcpKeepalive
DestinationRule.spec.trafficPolicy.loadBalancer                     LoadBalancerSettings
DestinationRule.spec.trafficPolicy.loadBalancer.consistentHash      ConsistentHashLB
DestinationRule.spec.trafficPolicy.loadBalancer.consistentHash.httpCookie               HTTPCookie
DestinationRule.spec.trafficPolicy.loadBalancer.consistentHash.httpCookie.attributes[]  Attribute
DestinationRule.spec.trafficPolicy.loadBalancer.consistentHash.maglev    MagLev
DestinationRule.spec.trafficPolicy.loadBalancer.consistentHash.ringHash  RingHash
DestinationRule.spec.trafficPolicy.loadBalancer.localityLbSetting               LocalityLoadBalancerSetting
DestinationRule.spec.trafficPolicy.loadBalancer.localityLbSetting.distribute[]  Distribute
DestinationRule.spec.trafficPolicy.loadBalancer.localityLbSetting.failover[]    Failover
DestinationRule.spec.trafficPolicy.loadBalancer.warmup  WarmupConfiguration
DestinationRule.spec.trafficPolicy.outlierDetection     OutlierDetection
DestinationRule.spec.trafficPolicy.portLevelSettings[]  PortTrafficPolicy
DestinationRule.spec.trafficPolicy.portLevelSettings[].port  PortSelector
DestinationRule.spec.trafficPolicy.proxyProtocol  ProxyProtocol
DestinationRule.spec.trafficPolicy.retryBudget    RetryBudget
DestinationRule.spec.trafficPolicy.tls            ClientTLSSettings
DestinationRule.spec.trafficPolicy.tunnel         TunnelSettings
DestinationRule.spec.workloadSelector             WorkloadSelector
EnvoyFilter.spec.configPatches[]                  EnvoyConfigObjectPatch
EnvoyFilter.spec.configPatches[].match            EnvoyConfigObjectMatch
EnvoyFilter.spec.configPatches[].match.cluster    ClusterMatch
EnvoyFilter.spec.configPatches[].match.listener   ListenerMatch
EnvoyFilter.spec.configPatches[].match.listener.filterChain         FilterChainMatch
EnvoyFilter.spec.configPatches[].match.listener.filterChain.filter  FilterMatch
EnvoyFilter.spec.configPatches[].match.proxy               ProxyMatch
EnvoyFilter.spec.configPatches[].match.routeConfiguration  RouteConfigurationMatch
EnvoyFilter.spec.configPatches[].match.routeConfiguration.vhost        VirtualHostMatch
EnvoyFilter.spec.configPatches[].match.routeConfiguration.vhost.route  RouteMatch
EnvoyFilter.spec.configPatches[].match.waypoint   WaypointMatch
EnvoyFilter.spec.configPatches[].patch            Patch
EnvoyFilter.spec.workloadSelector                 LabelSelector
Gateway.spec.servers[]                            Server
Gateway.spec.servers[].port                       ServerPort
Gateway.spec.servers[].tls                        ServerTLSSettings
Gateway.spec.servers[].tls.tlsCertificates[]      TLSCertificate
PeerAuthentication.spec.mtls                      MutualTLS
ProxyConfig.spec.image                            ProxyImage
RequestAuthentication.spec.jwtRules[]             JWTRule
RequestAuthentication.spec.jwtRules[].fromHeaders[]           JWTHeader
RequestAuthentication.spec.jwtRules[].outputClaimToHeaders[]  ClaimToHeader
ServiceEntry.spec.endpoints[]                     WorkloadEntrySpec
ServiceEntry.spec.ports[]                         ServicePort
Sidecar.spec.egress[]                             IstioEgressListener
Sidecar.spec.egress[].port                        SidecarPort
Sidecar.spec.ingress[]                            IstioIngressListener
Sidecar.spec.outboundTrafficPolicy                OutboundTrafficPolicy
Sidecar.spec.outboundTrafficPolicy.egressProxy    Destination
Telemetry.spec.accessLogging[]                    AccessLogging
Telemetry.spec.accessLogging[].filter             AccessLoggingFilter
Telemetry.spec.accessLogging[].match              ModeSelector
Telemetry.spec.accessLogging[].providers[]        ProviderRef
Telemetry.spec.metrics[]                          Metrics
Telemetry.spec.metrics[].overrides[]              MetricsOverrides
Telemetry.spec.metrics[].overrides[].match        MetricSelector
Telemetry.spec.metrics[].overrides[].tagOverrides{}  TagOverride
Telemetry.spec.tracing[]                          Tracing
Telemetry.spec.tracing[].customTags{}             CustomTag
Telemetry.spec.tracing[].customTags{}.environment  DefaultedName
Telemetry.spec.tracing[].customTags{}.literal     TagText
TrafficExtension.spec.lua                         LuaConfig
TrafficExtension.spec.match[]                     TrafficSelector
TrafficExtension.spec.match[].ports[]             PortNumber
TrafficExtension.spec.targetRefs[]                PolicyTargetReference
TrafficExtension.spec.wasm                        WasmConfig
TrafficExtension.spec.wasm.vmConfig               VmConfig
TrafficExtension.spec.wasm.vmConfig.env[]         EnvVar
VirtualService.spec.http[]                        HTTPRoute
VirtualService.spec.http[].corsPolicy             CorsPolicy
VirtualService.spec.http[].corsPolicy.allowOrigins[]  StringMatch
VirtualService.spec.http[].delegate               Delegate
VirtualService.spec.http[].directResponse         HTTPDirectResponse
VirtualService.spec.http[].directResponse.body    HTTPBody
VirtualService.spec.http[].fault                  HTTPFaultInjection
VirtualService.spec.http[].fault.abort            Abort
VirtualService.spec.http[].fault.abort.percentage  Percent
VirtualService.spec.http[].fault.delay            Delay
VirtualService.spec.http[].headers                Headers
VirtualService.spec.http[].headers.request        HeaderOperations
VirtualService.spec.http[].match[]                HTTPMatchRequest
VirtualService.spec.http[].mirrors[]              HTTPMirrorPolicy
VirtualService.spec.http[].redirect               HTTPRedirect
VirtualService.spec.http[].retries                HTTPRetry
VirtualService.spec.http[].rewrite                HTTPRewrite
VirtualService.spec.http[].rewrite.uriRegexRewrite  RegexRewrite
VirtualService.spec.http[].route[]                HTTPRouteDestination
VirtualService.spec.tcp[]                         TCPRoute
VirtualService.spec.tcp[].match[]                 L4MatchAttributes
VirtualService.spec.tcp[].route[]                 RouteDestination
VirtualService.spec.tls[]                         TLSRoute
VirtualService.spec.tls[].match[]                 TLSMatchAttributes
WorkloadGroup.spec.metadata                       ObjectMeta
WorkloadGroup.spec.probe                          ReadinessProbe
WorkloadGroup.spec.probe.exec                     ExecHealthCheckConfig
WorkloadGroup.spec.probe.grpc                     GrpcHealthCheckConfig
WorkloadGroup.spec.probe.httpGet                  HTTPHealthCheckConfig
WorkloadGroup.spec.probe.httpGet.httpHeaders[]    HTTPHeader
WorkloadGroup.spec.probe.tcpSocket                TCPHealthCheckConfig
WorkloadGroup.spec.template                       WorkloadTemplate
"""

_NAMES: dict[str, str] = dict(line.split() for line in _BY_PATH.strip().splitlines())


def class_name(paths: list[str]) -> str:
    """The name of a shape, of all paths where it stands: the first that has one, else the first path in one word."""
    named = [_NAMES[path] for path in paths if path in _NAMES]
    if named:
        return named[0]
    kind, *parts = paths[0].replace("[]", "").replace("{}", "").split(".")
    return kind + "".join(part[0].upper() + part[1:] for part in parts)


def python_name(wire: str) -> str:
    """`caCrl` as `ca_crl`; what Python or pydantic keeps for itself gets an underscore."""
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire).lower()
    return f"{name}_" if keyword.iskeyword(name) or hasattr(IstioResource, name) else name
