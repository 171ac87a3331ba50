using ResumableUploads.Abstractions;
using ResumableUploads.Engine;

namespace ResumableUploads;

/// <summary>The upload that an endpoint's request was put together from.</summary>
internal sealed class EndpointUpload(IUploadStore store, UploadInfo info, UploadData data, IServiceProvider services)
    : ReceivedUpload(store, info, data, services), IResumableUploadFeature;
