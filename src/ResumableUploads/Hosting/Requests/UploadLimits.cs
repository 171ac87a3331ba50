using ResumableUploads.Hosting.Endpoints.Routing;
using ResumableUploads.Protocols.Ietf;

namespace ResumableUploads.Hosting.Requests;

/// <summary>The limits that the options and an endpoint set for uploads.</summary>
internal sealed class UploadLimits(ResumableUploadOptions options)
{
    /// <summary>Gets how long a new upload is kept.</summary>
    public TimeSpan Expiration => options.Expiration < options.Timeouts.MaxAge ? options.Expiration : options.Timeouts.MaxAge;

    /// <summary>Gets the maximum size of an upload, in bytes.</summary>
    public long GetMaxUploadSize(EndpointTarget? target) => target?.Route.GetMaxUploadSize(options) ?? options.MaxUploadSize;

    /// <summary>Gets the limits that a client of the IETF draft is sent.</summary>
    public IetfLimits GetIetfLimits(EndpointTarget? target) =>
        new(GetMaxUploadSize(target), options.Ietf.MinUploadSize, options.Ietf.MaxAppendSize, options.Ietf.MinAppendSize);
}
