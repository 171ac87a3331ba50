using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;
using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Hosting.Tickets;

namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// The URL of a request: where uploads are created, or that of one upload. On a ready-made path, the id of an upload is an additional segment; on an
/// endpoint of the app it is a query parameter, so that it cannot collide with the app's URLs.
/// </summary>
/// <param name="CreationPath">The path where uploads are created, without a trailing slash.</param>
/// <param name="Id">The id of the upload, or <see langword="null"/>.</param>
/// <param name="IsQueryParameter">Whether the id is in the query.</param>
internal readonly record struct UploadUrl(PathString CreationPath, string? Id, bool IsQueryParameter)
{
    /// <summary>
    /// Separates the method that created the upload, if it is not POST, the tag of the endpoint, and the id. Method and tag select one of the app's endpoints at
    /// this URL, before middleware sees its metadata.
    /// </summary>
    private const char Separator = '.';

    /// <summary>The query parameter that has the id on endpoints of the app.</summary>
    public const string QueryParameterName = "resumable-upload";

    /// <summary>The number of characters of an id.</summary>
    public const int IdLength = IdBytes * 2;

    private const int IdBytes = 20;
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("0123456789abcdef");

    public bool IsUpload => Id is not null;

    /// <summary>Gets the tag of the app's endpoint, or <see langword="null"/> on a ready-made path.</summary>
    public string? EndpointTag { get; private init; }

    /// <summary>Creates an id that cannot be guessed: 160 random bits.</summary>
    public static string NewId()
    {
        Span<byte> bytes = stackalloc byte[IdBytes];
        RandomNumberGenerator.Fill(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    /// <summary>Returns whether a text has the format of an id.</summary>
    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLength && !text.ContainsAnyExcept(IdCharacters);

    /// <summary>Gets the URL of a request to an endpoint of the app.</summary>
    /// <param name="request">The request.</param>
    /// <param name="endpointTag">The <see cref="ResumableRoute.Tag"/> of the endpoint.</param>
    public static UploadUrl ForEndpoint(HttpRequest request, string endpointTag) =>
        new(TrimTrailingSlash(request.Path), GetQueryParameter(request) is { } value ? GetId(value) : null, IsQueryParameter: true) { EndpointTag = endpointTag };

    /// <summary>Gets the tag of the endpoint that created the upload whose id is in the query, or <see langword="null"/> if the query has none.</summary>
    public static string? GetEndpointTag(HttpRequest request) =>
        GetQueryParameter(request)?.Split(Separator) is [.., { Length: ResumableRoute.TagLength } tag, _] ? tag : null;

    /// <summary>
    /// Gets the method that created the upload whose id is in the query, or <see langword="null"/> if the query has no id.
    /// </summary>
    public static string? GetCreationMethod(HttpRequest request)
    {
        string? value = request.QueryString.HasValue && request.QueryString.Value!.Contains(QueryParameterName + "=", StringComparison.Ordinal) ? GetQueryParameter(request) : null;
        return value is null ? null
            : value.StartsWith("put" + Separator, StringComparison.Ordinal) ? HttpMethods.Put
            : value.StartsWith("patch" + Separator, StringComparison.Ordinal) ? HttpMethods.Patch
            : HttpMethods.Post;
    }

    /// <summary>Gets the URL of a request to a ready-made path, or to an upload below it.</summary>
    public static UploadUrl ForPath(PathString creationPath, HttpRequest request) =>
        ForPath(creationPath, request.Path.StartsWithSegments(creationPath, out PathString rest) ? rest : default);

    /// <inheritdoc cref="ForPath(PathString, HttpRequest)"/>
    /// <param name="creationPath">The path where uploads are created.</param>
    /// <param name="rest">The rest of the path of the request, behind that path.</param>
    public static UploadUrl ForPath(PathString creationPath, PathString rest) =>
        new(TrimTrailingSlash(creationPath), rest.Value.AsSpan().TrimEnd('/') is { Length: > 1 } id ? id[1..].ToString() : null, IsQueryParameter: false);

    /// <summary>
    /// Gets the id in the URL of another upload at the same endpoint, which a client sent as an absolute or relative reference. Returns <see langword="null"/> for
    /// any other text. The host is not compared, because proxies replace it.
    /// </summary>
    public string? FindId(string reference, HttpRequest request)
    {
        string target = GetTarget(reference, request);
        int query = target.IndexOf('?', StringComparison.Ordinal);
        string path = (query < 0 ? target : target[..query]).TrimEnd('/');
        int separator = IsQueryParameter ? path.Length : path.LastIndexOf('/');
        if (separator < 0 || target.Contains('#', StringComparison.Ordinal) || !HasCreationPath(path[..separator], request))
        {
            return null;
        }

        string? id = !IsQueryParameter ? path[(separator + 1)..]
            : query >= 0 && QueryHelpers.ParseQuery(target[query..]).GetValueOrDefault(QueryParameterName).ToString().Split(Separator) is [var tag, var value] && tag == EndpointTag ? value
            : null;
        return IsId(id) ? id : null;
    }

    private bool HasCreationPath(string escapedPath, HttpRequest request) =>
        escapedPath is "" or ['/', ..]

        // The framework throws for a null character.
        && !escapedPath.Contains("%00", StringComparison.Ordinal)
        && PathString.FromUriComponent(escapedPath) == new PathString(request.PathBase.Add(CreationPath).Value!.TrimEnd('/'));

    /// <summary>Gets the path and the query of a reference in a request, without scheme and host (RFC 3986, section 4.2).</summary>
    private static string GetTarget(string reference, HttpRequest request)
    {
        foreach (string prefix in (string[])["http://", "https://", "//"])
        {
            if (reference.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))
            {
                int path = reference.AsSpan(prefix.Length).IndexOfAny('/', '?', '#');
                return path < 0 ? "" : reference[(prefix.Length + path)..];
            }
        }

        string requestPath = EscapePath(request.PathBase.Add(request.Path));
        return reference switch
        {
            ['/', ..] => reference,
            ['?', ..] => requestPath + reference,
            _ => requestPath[..(requestPath.LastIndexOf('/') + 1)] + reference,
        };
    }

    /// <summary>
    /// Gets the URL of an upload for the Location header. It is a path without a host, which is valid behind any proxy, and has the query of the request:
    /// the app may authorize requests by it.
    /// </summary>
    public string GetLocation(string id, HttpRequest request)
    {
        string path = EscapePath(request.PathBase.Add(CreationPath));
        QueryBuilder query = request.QueryString.HasValue
            ? new QueryBuilder(QueryHelpers.ParseQuery(request.QueryString.Value).Where(static pair => pair.Key != QueryParameterName))
            : [];
        if (IsQueryParameter)
        {
            query.Add(QueryParameterName, $"{GetMethodPrefix(request)}{EndpointTag}{Separator}{id}");
        }
        else
        {
            path = $"{path.TrimEnd('/')}/{id}";
        }

        if (request.HttpContext.Features.Get<TicketFeature>() is { Text.Length: > 0 } ticket)
        {
            // The client continues with the ticket, which was removed from the query.
            query.Add(TicketQuery.ParameterName, ticket.Text);
        }

        return path + query;
    }

    /// <summary>
    /// Escapes a path as the server has decoded it. <see cref="PathString.ToUriComponent()"/> keeps a percent sign before two digits, which the server would decode
    /// again. Servers do not decode <c>%2F</c>.
    /// </summary>
    public static string EscapePath(PathString path) => new PathString(path.Value!
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("%252F", "%2F", StringComparison.Ordinal)
        .Replace("%252f", "%2f", StringComparison.Ordinal)).ToUriComponent();

    /// <summary>Gets the prefix of the id. A request to an upload keeps the prefix in its URL.</summary>
    private static string GetMethodPrefix(HttpRequest request)
    {
        string method = GetCreationMethod(request) ?? request.Method;
        return HttpMethods.IsPut(method) ? "put" + Separator : HttpMethods.IsPatch(method) ? "patch" + Separator : "";
    }

    private static string GetId(string value) => value[(value.LastIndexOf(Separator) + 1)..];

    private static string? GetQueryParameter(HttpRequest request) => request.Query.TryGetValue(QueryParameterName, out var value) ? value.ToString() : null;

    private static PathString TrimTrailingSlash(PathString path) => new(path.Value!.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/");
}
