using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Constraints;
using Microsoft.AspNetCore.Routing.Patterns;

namespace ResumableUploads.Hosting.Endpoints.Routing.Chunks;

/// <summary>The constraint by which a route of an app, usually a conventional one, selects the methods of its requests.</summary>
internal static class MethodConstraint
{
    /// <summary>Returns whether the constraints of an endpoint accept a method.</summary>
    public static bool Accepts(Endpoint endpoint, string method) =>
        endpoint is not RouteEndpoint route || Find(route.RoutePattern).All(constraint => constraint.AllowedMethods.Contains(method, StringComparer.OrdinalIgnoreCase));

    /// <summary>Returns a pattern for all methods.</summary>
    public static RoutePattern Remove(RoutePattern pattern)
    {
        if (pattern.RawText is not { } text || !Find(pattern).Any())
        {
            return pattern;
        }

        // The constraints in the text are parsed again.
        var others = new RouteValueDictionary();
        foreach ((string name, IReadOnlyList<RoutePatternParameterPolicyReference> policies) in pattern.ParameterPolicies)
        {
            IRouteConstraint[] constraints = [.. policies.Select(static policy => policy.ParameterPolicy).OfType<IRouteConstraint>().Where(static constraint => constraint is not HttpMethodRouteConstraint)];
            if (constraints.Length > 0)
            {
                others[name] = new CompositeRouteConstraint(constraints);
            }
        }

        return RoutePatternFactory.Parse(text, new RouteValueDictionary(pattern.Defaults), others, new RouteValueDictionary(pattern.RequiredValues));
    }

    private static IEnumerable<HttpMethodRouteConstraint> Find(RoutePattern pattern) =>
        pattern.ParameterPolicies.Values.SelectMany(static policies => policies).Select(static policy => policy.ParameterPolicy).OfType<HttpMethodRouteConstraint>();
}
