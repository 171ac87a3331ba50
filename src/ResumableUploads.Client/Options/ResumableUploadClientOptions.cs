namespace ResumableUploads.Client;

/// <summary>The options of a <see cref="ResumableUploadClient"/>.</summary>
public sealed class ResumableUploadClientOptions
{
    /// <summary>
    /// Gets or sets the store by which uploads are continued after a restart. The default is <see langword="null"/>: tus and IETF uploads start again in a new process.
    /// </summary>
    public IUploadStateStore? StateStore { get; set; }

    /// <summary>Gets or sets the maximum size, in bytes, of a response body that is kept in <see cref="UploadResponseMessage.Body"/>. The default is 1 MiB.</summary>
    public int MaxResponseBodySize { get; set; } = 1024 * 1024;

    /// <summary>
    /// Gets or sets a value indicating whether the URL of an upload can have another host than the upload endpoint. The default is <see langword="false"/>, because the headers of the app, such as
    /// access tokens, would be sent to that host.
    /// </summary>
    public bool AllowOtherHosts { get; set; }

    /// <summary>Gets or sets the source of time. The default is <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;
}
