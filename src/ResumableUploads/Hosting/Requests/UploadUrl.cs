using System.Buffers;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.WebUtilities;

namespace ResumableUploads.Hosting.Requests;

/// <summary>
/// What a request was sent to: the URL where uploads are made, or that of one upload. On a ready-made path an upload is a segment more; on an
/// endpoint of the app it is a query parameter, so that it never collides with the app's own URLs.
/// </summary>
/// <param name="CreationPath">The path where uploads are made, without a slash at its end.</param>
/// <param name="Id">The upload, or null.</param>
/// <param name="IsQueryParameter">Whether the id is in the query.</param>
internal readonly record struct UploadUrl(PathString CreationPath, string? Id, bool IsQueryParameter)
{
    /// <summary>Before the id in the query, when the upload was not made by POST: which of the app's endpoints at this URL it belongs to.</summary>
    private const char MethodSeparator = '.';

    /// <summary>The query parameter that is ours on an app's endpoints.</summary>
    public const string QueryParameterName = "resumable-upload";

    /// <summary>How many characters an id has.</summary>
    public const int IdLength = IdBytes * 2;

    private const int IdBytes = 20;
    private static readonly SearchValues<char> IdCharacters = SearchValues.Create("0123456789abcdef");

    public bool IsUpload => Id is not null;

    /// <summary>An id that nobody guesses: 160 random bits.</summary>
    public static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes));

    /// <summary>Whether a text looks like an id that the server has made.</summary>
    public static bool IsId(ReadOnlySpan<char> text) => text.Length == IdLength && !text.ContainsAnyExcept(IdCharacters);

    /// <summary>The URL of a request to an app's endpoint.</summary>
    public static UploadUrl ForEndpoint(HttpRequest request) =>
        new(TrimTrailingSlash(request.Path), GetQueryParameter(request) is { } value ? value[(value.IndexOf(MethodSeparator, StringComparison.Ordinal) + 1)..] : null, IsQueryParameter: true);

    /// <summary>By which method the upload was made that a request to an app's endpoint names; null where it names none.</summary>
    public static string? GetCreationMethod(HttpRequest request)
    {
        string? value = request.QueryString.HasValue && request.QueryString.Value!.Contains(QueryParameterName + "=", StringComparison.Ordinal) ? GetQueryParameter(request) : null;
        return value is null ? null
            : value.StartsWith("put" + MethodSeparator, StringComparison.Ordinal) ? HttpMethods.Put
            : value.StartsWith("patch" + MethodSeparator, StringComparison.Ordinal) ? HttpMethods.Patch
            : HttpMethods.Post;
    }

    /// <summary>The URL of a request to a ready-made path, or to an upload below it.</summary>
    public static UploadUrl ForPath(PathString creationPath, HttpRequest request) =>
        new(TrimTrailingSlash(creationPath), request.Path.StartsWithSegments(creationPath, out PathString rest) && rest.Value?.TrimEnd('/') is { Length: > 1 } id ? id[1..] : null, IsQueryParameter: false);

    /// <summary>The id in the URL of an upload as a client names it, absolute or not; null where there is none.</summary>
    public static string? ParseId(string url, bool isParameter)
    {
        int query = url.IndexOf('?', StringComparison.Ordinal);
        string path = (query < 0 ? url : url[..query]).TrimEnd('/');
        string? id = isParameter
            ? query < 0 ? null : QueryHelpers.ParseQuery(url[query..]).GetValueOrDefault(QueryParameterName).ToString()
            : path[(path.LastIndexOf('/') + 1)..];
        return id is not null && IsId(id) ? id : null;
    }

    /// <summary>Where an upload that a request makes can be found: a path, so that it holds behind any proxy.</summary>
    public string GetLocation(string id, HttpRequest request)
    {
        string path = request.PathBase.Add(CreationPath).ToUriComponent();
        if (!IsQueryParameter)
        {
            return $"{path}/{id}";
        }

        var query = new QueryBuilder(QueryHelpers.ParseQuery(request.QueryString.Value).Where(static pair => pair.Key != QueryParameterName)) { { QueryParameterName, GetMethodPrefix(request) + id } };
        return path + query;
    }

    /// <summary>A request to an upload keeps the prefix that it came with.</summary>
    private static string GetMethodPrefix(HttpRequest request)
    {
        string method = GetCreationMethod(request) ?? request.Method;
        return HttpMethods.IsPut(method) ? "put" + MethodSeparator : HttpMethods.IsPatch(method) ? "patch" + MethodSeparator : "";
    }

    private static string? GetQueryParameter(HttpRequest request) => request.Query.TryGetValue(QueryParameterName, out var value) ? value.ToString() : null;

    private static PathString TrimTrailingSlash(PathString path) => new(path.Value!.TrimEnd('/') is { Length: > 0 } trimmed ? trimmed : "/");
}
