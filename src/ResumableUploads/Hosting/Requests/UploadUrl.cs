using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;

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
    /// <summary>Separates the method that created the upload from the id, if it is not POST. The method selects one of the app's endpoints at this URL.</summary>
    private const char MethodSeparator = '.';

    /// <summary>The query parameter that has the id on endpoints of the app.</summary>
    public const string QueryParameterName = "resumable-upload";

    /// <summary>The number of characters of an id.</summary>
    public const int IdLength = IdBytes * 2;

    private const int IdBytes = 20;
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("0123456789abcdef");

    public bool IsUpload => Id is not null;

    /// <summary>Creates an id that cannot be guessed: 160 random bits.</summary>
    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>Returns whether a text has the format of an id.</summary>
    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLength && !text.ContainsAnyExcept(IdCharacters);

    /// <summary>Gets the URL of a request to an endpoint of the app.</summary>
    public static UploadUrl ForEndpoint(HttpRequest request) =>
        new(TrimTrailingSlash(request.Path), GetQueryParameter(request) is { } value ? value[(value.IndexOf(MethodSeparator, StringComparison.Ordinal) + 1)..] : null, IsQueryParameter: true);

    /// <summary>
    /// Gets the method that created the upload whose id is in the query, or <see langword="null"/> if the query has no id.
    /// </summary>
    public static string? GetCreationMethod(HttpRequest request)
    {
        string? value = request.QueryString.HasValue && request.QueryString.Value!.Contains(QueryParameterName + "=", StringComparison.Ordinal) ? GetQueryParameter(request) : null;
        return value is null ? null
            : value.StartsWith("put" + MethodSeparator, StringComparison.Ordinal) ? HttpMethods.Put
            : value.StartsWith("patch" + MethodSeparator, StringComparison.Ordinal) ? HttpMethods.Patch
            : HttpMethods.Post;
    }

    /// <summary>Gets the URL of a request to a ready-made path, or to an upload below it.</summary>
    public static UploadUrl ForPath(PathString creationPath, HttpRequest request) =>
        new(TrimTrailingSlash(creationPath), request.Path.StartsWithSegments(creationPath, out PathString rest) && rest.Value?.TrimEnd('/') is { Length: > 1 } id ? id[1..] : null, IsQueryParameter: false);

    /// <summary>Gets the id in an absolute or relative upload URL that a client sent, or <see langword="null"/> if the URL has no id.</summary>
    public static string? ParseId(string url, bool isParameter)
    {
        int query = url.IndexOf('?', StringComparison.Ordinal);
        string path = (query < 0 ? url : url[..query]).TrimEnd('/');
        string? id = isParameter
            ? query < 0 ? null : QueryHelpers.ParseQuery(url[query..]).GetValueOrDefault(QueryParameterName).ToString()
            : path[(path.LastIndexOf('/') + 1)..];
        return id is not null && IsId(id) ? id : null;
    }

    /// <summary>Gets the URL of an upload for the Location header. It is a path without a host, which is valid behind any proxy.</summary>
    public string GetLocation(string id, HttpRequest request)
    {
        string path = EscapePath(request.PathBase.Add(CreationPath));
        if (!IsQueryParameter)
        {
            return $"{path.TrimEnd('/')}/{id}";
        }

        var query = new QueryBuilder(QueryHelpers.ParseQuery(request.QueryString.Value).Where(static pair => pair.Key != QueryParameterName)) { { QueryParameterName, GetMethodPrefix(request) + id } };
        return path + query;
    }

    /// <summary>
    /// Escapes a path as the server has decoded it. <see cref="PathString.ToUriComponent()"/> keeps a percent sign before two digits, which the server would decode
    /// again. Servers do not decode <c>%2F</c>.
    /// </summary>
    private static string EscapePath(PathString path) => new PathString(path.Value!
        .Replace("%", "%25", StringComparison.Ordinal)
        .Replace("%252F", "%2F", StringComparison.Ordinal)
        .Replace("%252f", "%2f", StringComparison.Ordinal)).ToUriComponent();

    /// <summary>Gets the prefix of the id. A request to an upload keeps the prefix in its URL.</summary>
    private static string GetMethodPrefix(HttpRequest request)
    {
        string method = GetCreationMethod(request) ?? request.Method;
        return HttpMethods.IsPut(method) ? "put" + MethodSeparator : HttpMethods.IsPatch(method) ? "patch" + MethodSeparator : "";
    }

    private static string? GetQueryParameter(HttpRequest request) => request.Query.TryGetValue(QueryParameterName, out var value) ? value.ToString() : null;

    private static PathString TrimTrailingSlash(PathString path) => new(path.Value!.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/");
}
