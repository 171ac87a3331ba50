using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace ResumableUploads.Hosting.Tickets;

/// <summary>The query parameter that contains the ticket.</summary>
internal static class TicketQuery
{
    public const string ParameterName = "ticket";

    /// <summary>Returns whether a request contains a ticket, valid or not. True also after the ticket was read.</summary>
    public static bool HasTicket(HttpContext context) =>
        context.Features.Get<TicketFeature>() is not null || GetValues(context.Request).Count > 0;

    /// <summary>Returns all values of the parameter.</summary>
    public static List<string> GetValues(HttpRequest request)
    {
        var values = new List<string>();
        if (request.QueryString.HasValue)
        {
            foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(request.QueryString.Value))
            {
                if (IsTicket(pair))
                {
                    values.Add(pair.DecodeValue().ToString());
                }
            }
        }

        return values;
    }

    /// <summary>Returns the query without the parameter, and all others as the client has encoded them.</summary>
    public static QueryString Remove(QueryString query)
    {
        var others = new List<string>();
        foreach (QueryStringEnumerable.EncodedNameValuePair pair in new QueryStringEnumerable(query.Value))
        {
            if (!IsTicket(pair))
            {
                others.Add($"{pair.EncodedName}={pair.EncodedValue}");
            }
        }

        return others.Count > 0 ? new QueryString("?" + string.Join('&', others)) : QueryString.Empty;
    }

    /// <summary>Compares names as <see cref="IQueryCollection"/> does.</summary>
    private static bool IsTicket(QueryStringEnumerable.EncodedNameValuePair pair) =>
        pair.DecodeName().Span.Equals(ParameterName, StringComparison.OrdinalIgnoreCase);
}
