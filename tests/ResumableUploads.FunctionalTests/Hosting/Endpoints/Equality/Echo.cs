using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Equality;

/// <summary>A response with everything that an endpoint has seen, and with headers of every kind.</summary>
internal static class Echo
{
    public static IResult Of(HttpContext context, string what)
    {
        HttpRequest request = context.Request;
        context.Response.Headers.ETag = "\"" + Digest(what) + "\"";
        context.Response.Headers["X-Custom"] = new[] { "one", "two" };
        context.Response.Headers.Append("Set-Cookie", "seen=1; path=/");
        return Results.Json(
            new
            {
                what,
                request.Method,
                request.Scheme,
                Host = request.Host.Host,
                Path = request.Path.Value,
                Query = request.QueryString.Value,
                Parameters = request.Query.ToDictionary(static item => item.Key, static item => item.Value.ToString()),
                Route = request.RouteValues.OrderBy(static value => value.Key, StringComparer.Ordinal).Select(static value => $"{value.Key}={value.Value}"),
                request.ContentType,
                request.ContentLength,
                Headers = request.Headers
                    .Where(static header => header.Key != "Host").OrderBy(static header => header.Key, StringComparer.Ordinal)
                    .Select(static header => $"{header.Key}: {header.Value}"),
                Endpoint = context.GetEndpoint()?.DisplayName,
            },
            contentType: "application/json; charset=utf-8",
            statusCode: StatusCodes.Status201Created);
    }

    public static string Digest(ReadOnlySpan<byte> content) => $"{content.Length} {Convert.ToHexStringLower(SHA256.HashData(content))}";

    private static string Digest(string text) => Digest(System.Text.Encoding.UTF8.GetBytes(text)).Split(' ')[1][..16];
}
