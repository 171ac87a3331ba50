using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using ResumableUploads.Engine;
using ResumableUploads.Hosting.Requests;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Endpoints.Execution;

/// <summary>
/// Compares the requests of an upload with the request that created it. The policies of the app are applied to each request, and the endpoint runs with
/// the first one, so both must have the same path, route values and query.
/// </summary>
/// <param name="volatileParameters">The names of the query parameters that may differ.</param>
internal sealed class CreationRequestMatcher(IEnumerable<string> volatileParameters)
{
    private readonly HashSet<string> _volatileParameters = new(volatileParameters, StringComparer.OrdinalIgnoreCase);

    /// <summary>Returns whether a request has the path, route values and query of the request that created the upload.</summary>
    public bool Matches(HttpRequest request, StoredRequest first) =>
        string.Equals((request.Path.Value ?? "").TrimEnd('/'), first.Path.TrimEnd('/'), StringComparison.Ordinal)
        && AreEqual(CreationRequestRecorder.GetRouteValues(request), first.RouteValues)
        && AreEqual(GetFixedParameters(GetQuery(request)), GetFixedParameters(first.Query));

    /// <summary>Gets the query without a ticket, which is not recorded.</summary>
    private static string? GetQuery(HttpRequest request) =>
        (request.HttpContext.Features.Get<TicketFeature>() is null ? request.QueryString : TicketQuery.Remove(request.QueryString)).Value;

    /// <summary>Returns the query that the endpoint receives: that of the first request, with the parameters that may differ as in this request.</summary>
    public string GetEndpointQuery(HttpRequest request, StoredRequest first)
    {
        if (_volatileParameters.Count == 0)
        {
            return first.Query;
        }

        IEnumerable<string> parameters = GetParameters(first.Query, isVolatile: false).Concat(GetParameters(request.QueryString.Value, isVolatile: true));
        return string.Join('&', parameters) is { Length: > 0 } query ? "?" + query : "";
    }

    /// <summary>Gets the parameters of a query, as encoded by the client, that may differ or those that may not.</summary>
    private List<string> GetParameters(string? query, bool isVolatile)
    {
        var parameters = new List<string>();
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(query))
        {
            if (_volatileParameters.Contains(pair.DecodeName().ToString()) == isVolatile)
            {
                parameters.Add($"{pair.EncodedName}={pair.EncodedValue}");
            }
        }

        return parameters;
    }

    private Dictionary<string, StringValues> GetFixedParameters(string? query)
    {
        Dictionary<string, StringValues> parameters = QueryHelpers.ParseQuery(query);
        parameters.Remove(UploadUrl.QueryParameterName);
        foreach (string name in _volatileParameters)
        {
            parameters.Remove(name);
        }

        return parameters;
    }

    private static bool AreEqual<T>(Dictionary<string, T> one, Dictionary<string, T> other) where T : notnull =>
        one.Count == other.Count && one.All(pair => other.TryGetValue(pair.Key, out T? value) && pair.Value.Equals(value));
}
