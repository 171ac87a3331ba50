using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit;

/// <summary>A store does not keep a law of <see cref="Abstractions.IUploadStore"/>. The message names the case, and says what it did instead.</summary>
public sealed class StoreContractException : Exception
{
    /// <summary>Makes the exception.</summary>
    /// <param name="message">The case, and what was expected.</param>
    /// <param name="innerException">What the store or a check threw.</param>
    public StoreContractException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
