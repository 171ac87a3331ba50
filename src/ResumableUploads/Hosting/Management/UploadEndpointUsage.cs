namespace ResumableUploads;

/// <summary>The uploads of an endpoint and protocol in a store.</summary>
public sealed class UploadEndpointUsage
{
    internal UploadEndpointUsage(string? endpoint, string? protocol, UploadTotals totals)
    {
        Endpoint = endpoint;
        Protocol = protocol;
        Totals = totals;
    }

    /// <summary>Gets the route pattern of the endpoint, or the path of the middleware, as in <see cref="ManagedUpload.Endpoint"/>, or <see langword="null"/> if it is unknown.</summary>
    public string? Endpoint { get; }

    /// <summary>
    /// Gets the protocol, as in <see cref="ManagedUpload.Protocol"/>, or <see langword="null"/> for the sum of the endpoints after the first 100 and of the uploads whose
    /// record cannot be read.
    /// </summary>
    public string? Protocol { get; }

    /// <summary>Gets the number of the uploads and of their bytes.</summary>
    public UploadTotals Totals { get; }
}
