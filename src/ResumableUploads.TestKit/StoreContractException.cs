namespace ResumableUploads.TestKit;

/// <summary>The exception that is thrown if a store fails a case. The message has the name of the case and what the store did.</summary>
public sealed class StoreContractException : Exception
{
    /// <summary>Initializes a new instance of the <see cref="StoreContractException"/> class.</summary>
    /// <param name="message">The name of the case and what the store did.</param>
    /// <param name="innerException">The exception of the store or of an assertion, or <see langword="null"/>.</param>
    public StoreContractException(string message, Exception? innerException = null)
        : base(message, innerException)
    {
    }
}
