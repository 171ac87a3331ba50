using System.Net;

namespace ResumableUploads.Testing.Clients;

/// <summary>The final response of an endpoint, as a client reads it.</summary>
internal sealed record EndpointResponse(int Status, string Body, string? ContentType, string? Location, string? ETag, string? IsComplete)
{
    public static async Task<EndpointResponse> OfAsync(HttpResponseMessage response) => new(
        (int)response.StatusCode,
        await response.Content.ReadAsStringAsync(),
        response.Header("Content-Type"),
        response.Header("Location"),
        response.Header("ETag"),
        response.Header("X-Upload-Complete"));
}
