using System.Net;

namespace ResumableUploads.Client;

/// <summary>The exception that is thrown when an upload fails.</summary>
public sealed class UploadException : Exception
{
    internal UploadException(UploadFailureReason reason, string message, Exception? innerException = null)
        : base(message, innerException)
    {
        Reason = reason;
    }

    /// <summary>Gets the reason.</summary>
    public UploadFailureReason Reason { get; }

    /// <summary>Gets the status code of the response that has ended the upload, or <see langword="null"/> if there was none.</summary>
    public HttpStatusCode? StatusCode => Response?.StatusCode;

    /// <summary>Gets the response that has ended the upload, or <see langword="null"/> if there was none.</summary>
    public UploadResponseMessage? Response { get; init; }

    /// <summary>Gets the type of the problem that the server has reported, such as <c>urn:resumable-uploads:too-large</c>, or <see langword="null"/>.</summary>
    public string? ProblemType { get; init; }

    /// <summary>Gets the upload on the server, or <see langword="null"/> if it was not created.</summary>
    public UploadReference? Upload { get; init; }
}
