using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Cors;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Hosting.Startup;

namespace ResumableUploads.Hosting.Endpoints.Routing;

/// <summary>
/// Warns if endpoints at one URL have different policies for CORS or rate limiting. Middleware applies that of the first endpoint to requests that do not show
/// which endpoint they are for: preflights, status requests and cancellations.
/// </summary>
internal sealed class PolicyDifferenceCheck
{
    private readonly ConditionalWeakTable<Endpoint, object> _checked = [];

    /// <summary>Compares the policies of the endpoints that a request may be for, once for each first endpoint.</summary>
    public void WarnOnce(HttpContext context, Endpoint[] endpoints)
    {
        Endpoint first = endpoints[0];
        if (_checked.TryAdd(first, first)
            && endpoints.Skip(1).FirstOrDefault(other => !GetPolicies(other).SequenceEqual(GetPolicies(first))) is { } different)
        {
            Log.PoliciesDiffer(context.RequestServices.GetRequiredService<SharedUploadServices>().Logger, first.DisplayName, different.DisplayName);
        }
    }

    /// <summary>Gets values that are equal for endpoints with the same policies.</summary>
    private static IEnumerable<object> GetPolicies(Endpoint endpoint) => endpoint.Metadata
        .Where(static item => item is ICorsMetadata or EnableRateLimitingAttribute or DisableRateLimitingAttribute)
        .Select(static item => item switch
        {
            EnableCorsAttribute cors => (typeof(ICorsMetadata), cors.PolicyName),
            EnableRateLimitingAttribute limit => (typeof(EnableRateLimitingAttribute), limit.PolicyName),
            DisableCorsAttribute or DisableRateLimitingAttribute => item.GetType(),
            _ => item,
        });
}
