using ResumableUploads.Client.Protocols;

namespace ResumableUploads.Client.Engine;

/// <summary>Decides which states of a store are used: a modified state must not make the client send the headers of the app to another host.</summary>
/// <param name="Endpoint">The URL of the upload endpoint.</param>
/// <param name="Protocol">The protocol.</param>
/// <param name="AllowsOtherHosts">Whether the URL of an upload can have another host.</param>
internal sealed record StateFilter(Uri Endpoint, UploadProtocol Protocol, bool AllowsOtherHosts)
{
    public bool IsUsable(UploadStateEntry state) => state.Upload.Protocol == Protocol && state.Upload.Uri.IsAbsoluteUri && UploadLocation.IsAllowed(Endpoint, state.Upload.Uri, AllowsOtherHosts);
}
