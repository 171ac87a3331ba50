using Microsoft.AspNetCore.Http;
using ResumableUploads.Protocols.Headers;

namespace ResumableUploads.Protocols.Tus;

/// <summary>
/// Whether the response that completes an upload has the body of the application's response. tus 1.0.0 requires 204 for PATCH, so the body is sent only if
/// the client or the application asks for it.
/// </summary>
/// <param name="IsSent">Whether a successful response has the body.</param>
/// <param name="IsPreferred">Whether the client has sent <c>Prefer: return=representation</c>.</param>
internal readonly record struct TusResponseBody(bool IsSent, bool IsPreferred = false)
{
    /// <summary>Selects the behavior for a request. The preference of the client takes precedence over that of the application.</summary>
    /// <param name="headers">The request headers.</param>
    /// <param name="isSentByDefault">Whether clients without a preference get the body.</param>
    public static TusResponseBody Select(IHeaderDictionary headers, bool isSentByDefault)
    {
        string? preference = ReturnPreference.Parse(headers[CommonHeaders.Prefer]);
        bool isPreferred = preference == ReturnPreference.Representation;
        return new TusResponseBody(isPreferred || (isSentByDefault && preference != ReturnPreference.Minimal), isPreferred);
    }
}
