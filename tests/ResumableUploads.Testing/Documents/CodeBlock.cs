namespace ResumableUploads.Testing.Documents;

/// <summary>A fenced code block of a Markdown document. <paramref name="Line"/> is the line number of its first line of code.</summary>
internal sealed record CodeBlock(string Language, int Line, string Code);
